// What people do to their mail between two synchronizations.

import { readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

let written = 0;

/** Puts new messages into the inbox, as a delivery does: whole or not at all. Returns their names. */
export const addMessages = (mail, count) =>
  Array.from({ length: count }, () => {
    written += 1;
    const name = `${1_800_000_000 + written}.M${written}P1.new`;
    const text = `Message-ID: <new-${written}@example.org>\nFrom: a@example.org\nTo: b@example.org\nSubject: new ${written}\n`;
    const temporary = join(mail, "tmp", name);
    writeFileSync(temporary, `${text}Date: Thu, 22 Aug 2024 12:36:23 +0000\n\nhello ${written}\n`);
    renameSync(temporary, join(mail, "cur", `${name}:2,`));
    return name;
  });

/** Marks messages that were seen as answered, too. Returns how many there were to mark. */
export const markAnswered = (mail, count) => {
  const cur = join(mail, "cur");
  const seen = readdirSync(cur).filter((name) => name.endsWith(":2,S")).sort().slice(0, count);
  for (const name of seen) renameSync(join(cur, name), join(cur, `${name.slice(0, -1)}RS`));
  return seen.length;
};
