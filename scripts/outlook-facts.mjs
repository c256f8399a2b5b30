// Makes crates/stores/tests/outlook/facts.txt from the published type library of Outlook 14.0, as
// @types/activex-outlook (MIT) tells it:  npm pack @types/activex-outlook && tar xzf *.tgz && node scripts/outlook-facts.mjs index.d.ts

import { readFileSync, writeFileSync } from "node:fs";

const CLASSES = ["Application", "NameSpace", "Stores", "Store", "Folder", "Folders", "Items", "PropertyAccessor",
  "Table", "Columns", "MailItem", "PostItem", "MeetingItem", "ContactItem", "DistListItem", "AppointmentItem",
  "TaskItem", "NoteItem", "JournalItem", "Categories", "Category"];
const ENUMS = ["OlCategoryColor", "OlDefaultFolders", "OlItemType", "OlSaveAsType"];
const source = readFileSync(process.argv[2], "utf8");

const facts = [];
for (const name of CLASSES) {
  const body = source.match(new RegExp(`^    class ${name} \\{\\n([\\s\\S]*?)^    \\}`, "m"))[1];
  for (const line of body.split("\n")) {
    const [, readonly, member, what] = line.match(/^ {8}(readonly )?(\w+)([(:])/) ?? [];
    if (!member || member === "constructor") continue;
    facts.push(`${name}.${member} ${what === "(" ? "method" : readonly ? "read" : "write"}`);
  }
}
for (const name of ENUMS) {
  const body = source.match(new RegExp(`const enum ${name} \\{\\n([\\s\\S]*?)^    \\}`, "m"))[1];
  for (const [, member, value] of body.matchAll(/(\w+) = (-?\d+)/g)) facts.push(`${name}.${member} = ${value}`);
}
const note = `# Members of Outlook's object model: facts taken from @types/activex-outlook 14.0.8, which describes
# Microsoft's published type library. That package is MIT licensed, (c) Microsoft Corporation. Made by
# scripts/outlook-facts.mjs.
`;
const target = new URL("../crates/stores/tests/outlook/facts.txt", import.meta.url);
writeFileSync(target, note + [...new Set(facts)].sort().join("\n") + "\n");
