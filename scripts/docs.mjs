// Every link between pages leads somewhere, and every message the program can show has its part in the
// troubleshooting page: the program links to docs/troubleshooting.md#CODE. No page and no text frightens or blames,
// and a page in another language has the same parts as the English one.

import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { anchorsIn, linksIn, outlineOf, proseOf } from "./lib/markdown.mjs";
import { headlinesIn } from "./lib/messages.mjs";
import { outputOf, root } from "./lib/run.mjs";

const folder = fileURLToPath(root);
const complaints = [];

const listed = outputOf("git", ["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]);
if (listed === undefined) throw new Error("git lists the pages to check, and it isn't here");
const pages = listed.split("\n").filter((page) => page && existsSync(join(folder, page)));
const read = (page) => readFileSync(join(folder, page), "utf8");

let links = 0;
for (const page of pages) {
  for (const { target, number } of linksIn(read(page))) {
    // Other people's sites come and go, and the check has no network.
    if (/^[a-z][a-z+.-]*:/i.test(target)) continue;
    links += 1;
    const [path, anchor] = target.split("#");
    const file = path === "" ? page : normalize(join(dirname(page), decodeURIComponent(path)));
    const where = `${page}:${number}`;
    if (relative(folder, join(folder, file)).startsWith("..") || !existsSync(join(folder, file))) {
      complaints.push(`${where}: ${target} leads nowhere`);
    } else if (anchor && statSync(join(folder, file)).isFile() && !anchorsIn(read(file)).has(anchor)) {
      complaints.push(`${where}: ${file} has no part called #${anchor}`);
    }
  }
}

const headlines = headlinesIn(read("crates/app/locales/en.ftl"));
for (const [explained, language] of [["docs/troubleshooting.md", "en"], ["docs/de/troubleshooting.md", "de"]]) {
  const messages = `crates/app/locales/${language}.ftl`;
  const told = headlinesIn(read(messages));
  if (told.size === 0) complaints.push(`${messages}: no message with a code was found`);
  const headings = new Set(read(explained).split("\n").filter((line) => line.startsWith("### ")));
  for (const [code, headline] of told) {
    const heading = `### <a id="${code}"></a>${code}: ${headline}`;
    if (!headings.delete(heading)) complaints.push(`${explained}: this heading is missing: ${heading}`);
  }
  for (const heading of headings) complaints.push(`${explained}: no message has this heading: ${heading}`);
}

// A stream of a program is called what it is called, and so is a field of a message.
const never = new Set(read("crates/app/locales/never.txt").split(/\s+/).filter(Boolean));
const wordsIn = (text) => text.toLowerCase().replaceAll(/standard error|errors-to/g, "").split(/[^\p{L}]+/u);
const texts = outputOf("git", ["ls-files", "*.ftl"]).split("\n").filter((file) => file && existsSync(join(folder, file)));
const isForUsers = (page) => /^(docs\/|README)/.test(page);
const valuesOf = (file) => read(file).split("\n").map((line) => (line.startsWith("#") ? "" : line.replace(/^[\w.-]+ =/, "")));
for (const [file, lines] of [
  ...texts.map((file) => [file, valuesOf(file)]),
  ...pages.filter(isForUsers).map((page) => [page, proseOf(read(page))]),
]) {
  for (const [index, line] of lines.entries()) {
    for (const word of wordsIn(line)) if (never.has(word)) complaints.push(`${file}:${index + 1}: «${word}» is no word for people`);
  }
}

for (const page of pages) {
  const [, english] = /^docs\/[a-z]{2}\/(.*)$/.exec(page) ?? [];
  if (!english) continue;
  const [own, other] = [outlineOf(read(page)), outlineOf(read(`docs/${english}`))];
  const parts = Math.max(own.length, other.length);
  const first = Array.from({ length: parts }, (_, part) => part).find((part) => own[part]?.shape !== other[part]?.shape);
  if (first === undefined) continue;
  const name = (part) => part?.text ?? "the end";
  complaints.push(`${page}: «${name(own[first])}» stands where the English page has «${name(other[first])}»`);
}

for (const complaint of complaints) console.error(complaint);
console.log(`${pages.length} pages, ${links} links, ${headlines.size} messages: ${complaints.length} complaints`);
process.exit(complaints.length === 0 ? 0 : 1);
