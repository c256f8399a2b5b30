// What of other people's work is in the packages, and under which terms: their licences ask for these texts to come along.

import { createHash } from "node:crypto";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./run.mjs";

const isTerms = (file) => /^(licen[cs]e|copying|copyright|notice|unlicense)/i.test(file);
const textOf = (file) => readFileSync(file, "utf8").replaceAll("\r\n", "\n").trim();
const filesIn = (folder) =>
  existsSync(folder) ? readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name) : [];

/** Parts of a work of which another part has the text. */
const partOf = { "alloc-stdlib": "alloc-no-stdlib", selectors: "cssparser" };

/** The text of a licence that many share, for those who name it and bring no text of their own. */
const standard = {
  "Apache-2.0": () => textOf(new URL("LICENSE-APACHE", root)),
  MIT: (name) => textOf(new URL("LICENSE-MIT", root)).replace(/^Copyright.*$/m, `Copyright (c) the authors of ${name}`),
};

/** The terms of a part, whole: its own texts, the standard text of a licence it names, or `undefined`. */
const termsOf = (part, parts) => {
  // The second is where https://reuse.software puts them.
  const beside = filesIn(part.folder).filter(isTerms).map((file) => join(part.folder, file));
  const own = beside.length > 0 ? beside : filesIn(join(part.folder, "LICENSES")).map((file) => join(part.folder, "LICENSES", file));
  if (own.length > 0) return own.map(textOf);
  const whole = parts.find(({ name }) => name === partOf[part.name]);
  if (whole) return termsOf(whole, parts);
  // Where there is a choice, one is enough; where all hold (AND), each has to be known.
  const choices = part.licence.split(/\s+OR\s+|\//).map((choice) => choice.split(/\s+AND\s+/));
  const known = choices.find((all) => all.every((one) => one in standard));
  return known?.map((one) => standard[one](part.name));
};

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

/**
 * The packages the page is made of: those with these names, and what they depend on. Some of the latter only help to build
 * the page, which nothing says of them.
 */
export const packagesOf = (names, modules) => {
  const found = new Map();
  const left = names.map((name) => ({ name, from: modules }));
  for (let next = left.pop(); next; next = left.pop()) {
    // A package's own copy counts before the common one.
    const folder = [join(next.from, "node_modules", next.name), join(modules, next.name)].find((one) => existsSync(one));
    if (!folder) throw new Error(`the npm package ${next.name} isn't installed`);
    if (found.has(folder)) continue;
    const { version, license, repository, dependencies = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    found.set(folder, { name: next.name, version, repository: repository?.url ?? repository, licence: license, folder });
    left.push(...Object.keys(dependencies).map((name) => ({ name, from: folder })));
  }
  return [...found.values()];
};

/** One text of all: first who, then each of the terms once, with those it is from. */
export const thirdParty = (parts) => {
  const sorted = parts.toSorted((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  const terms = new Map();
  const silent = sorted.filter((part) => termsOf(part, sorted) === undefined);
  if (silent.length > 0) {
    throw new Error(`no terms are known of ${silent.map(({ name, licence }) => `${name} (${licence})`).join(", ")}`);
  }
  for (const part of sorted) {
    for (const text of termsOf(part, sorted)) {
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
