// Whether two data folders hold the same, told by reading the files themselves. It shares no code with Tandem.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What is in a data folder: for each folder in it, its items as texts that are equal where the items are, sorted. */
export const contentsOf = (place) => {
  const contents = new Map();
  const mail = join(place, "mail");
  if (existsSync(mail)) {
    for (const folder of ["", ...foldersIn(mail).filter((name) => name.startsWith("."))]) {
      contents.set(`mail/${folder}`, messagesIn(join(mail, folder)));
    }
  }
  for (const part of ["contacts", "calendars", "tasks", "notes"]) addFolders(contents, place, part);
  return contents;
};

/** Every difference as a line of text; none where both hold the same. */
export const differencesBetween = (here, there) => {
  const [a, b] = [contentsOf(here), contentsOf(there)];
  const differences = [];
  for (const folder of [...new Set([...a.keys(), ...b.keys()])].sort()) {
    const [left, right] = [a.get(folder), b.get(folder)];
    if (!left || !right) {
      differences.push(`${folder}: only ${left ? "here" : "there"}, with ${(left ?? right).length} items`);
      continue;
    }
    for (const item of without(left, right)) differences.push(`${folder}: only here: ${item}`);
    for (const item of without(right, left)) differences.push(`${folder}: only there: ${item}`);
  }
  return differences;
};

const foldersIn = (place) =>
  readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

const filesIn = (place) =>
  existsSync(place) ? readdirSync(place, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => name) : [];

const hash = (file) => createHash("sha256").update(readFileSync(file)).digest("hex");

/** A message is its bytes and its flags. One in `new` has none, and counts as the same in `cur`. */
const messagesIn = (folder) => {
  const keywords = keywordsOf(folder);
  return ["cur", "new"].flatMap((part) =>
    filesIn(join(folder, part)).map((name) => {
      const letters = part === "new" ? "" : (/[:;!]2,([A-Za-z]*)$/.exec(name)?.[1] ?? "");
      const flags = [...letters].map((letter) => (/[a-z]/.test(letter) ? (keywords.get(letter) ?? letter) : letter));
      return `${hash(join(folder, part, name))} ${[...new Set(flags)].sort().join(" ")}`.trim();
    }),
  ).sort();
};

/** Letters mean what `dovecot-keywords` says, which may be another name in another place. */
const keywordsOf = (folder) => {
  const file = join(folder, "dovecot-keywords");
  if (!existsSync(file)) return new Map();
  const lines = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => line.split(" "));
  return new Map(lines.map(([number, name]) => [String.fromCharCode(97 + Number(number)), name]));
};

const addFolders = (contents, place, folder) => {
  const path = join(place, folder);
  if (!existsSync(path)) return;
  contents.set(folder, filesIn(path).filter((name) => !name.startsWith(".")).map((name) => hash(join(path, name))).sort());
  for (const name of foldersIn(path).filter((name) => !name.startsWith("."))) addFolders(contents, place, `${folder}/${name}`);
};

/** What the first list has more of, counting equal items. */
const without = (items, others) => {
  const left = new Map();
  for (const item of others) left.set(item, (left.get(item) ?? 0) + 1);
  return items.filter((item) => {
    const count = left.get(item) ?? 0;
    left.set(item, count - 1);
    return count <= 0;
  });
};
