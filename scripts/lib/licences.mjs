// What of other people's work is in the packages, and under which terms: their licences ask for these texts to come along.

import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";

const isTerms = (file) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(file);

/** The texts with terms in a folder, whole. */
const termsIn = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && isTerms(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), "utf8").replaceAll("\r\n", "\n").trim());

/** The crates that end up in programs, from what `cargo metadata` says. Those of the workspace are our own. */
export const cratesOf = ({ packages, resolve, workspace_members: own }, programs) => {
  const known = new Map(packages.map((one) => [one.id, one]));
  const nodes = new Map(resolve.nodes.map((node) => [node.id, node]));
  const linked = new Set();
  const left = own.filter((id) => programs.includes(known.get(id).name));
  for (let id = left.pop(); id; id = left.pop()) {
    if (linked.has(id)) continue;
    linked.add(id);
    // What only builds or tests isn't in them.
    const isLinked = (dep) => dep.dep_kinds.some(({ kind }) => kind === null);
    left.push(...nodes.get(id).deps.filter(isLinked).map((dep) => dep.pkg));
  }
  return [...linked]
    .filter((id) => !own.includes(id))
    .map((id) => known.get(id))
    .map(({ name, version, license, repository, manifest_path }) => ({
      name, version, repository, licence: license ?? "see the text", folder: dirname(manifest_path),
    }));
};

/** The packages the page is made of, from the names in `package.json`. */
export const packagesOf = (names, modules) =>
  names.map((name) => {
    const folder = join(modules, name);
    const { version, license, repository } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    return { name, version, repository: repository?.url ?? repository, licence: license, folder };
  });

/** One text of all: first who, then each of the terms once, with those it is from. */
export const thirdParty = (parts) => {
  const sorted = parts.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const terms = new Map();
  for (const part of sorted) {
    for (const text of termsIn(part.folder)) {
      const key = createHash("sha256").update(text.replace(/\s+/g, " ")).digest("hex");
      const known = terms.get(key) ?? { text, of: new Set() };
      terms.set(key, known);
      known.of.add(`${part.name} ${part.version}`);
    }
  }
  const list = sorted.map(({ name, version, licence, repository }) => `${name} ${version}: ${licence}${repository ? `, ${repository}` : ""}`);
  const line = "-".repeat(80);
  const texts = [...terms.values()].map(({ text, of }) => `${line}\n${[...of].join(", ")}\n${line}\n\n${text}\n`);
  return `Tandem contains these works of others.\n\n${list.join("\n")}\n\n${texts.join("\n")}`;
};
