// Reading links and anchors out of Markdown, as much of it as this project's pages use.

/** Lines outside of fenced code, with code spans emptied and their line numbers. */
const proseLines = (page) => {
  let isInFence = false;
  return page.split(/\r?\n/).flatMap((line, index) => {
    if (/^\s*(```|~~~)/.test(line)) {
      isInFence = !isInFence;
      return [];
    }
    return isInFence ? [] : [{ number: index + 1, text: line }];
  });
};

/** Every link target with its line: `[words](target)`, `![picture](target)`, `[name]: target`. */
export const linksIn = (page) =>
  proseLines(page).flatMap(({ number, text }) => {
    const prose = text.replace(/`[^`]*`/g, "``");
    const inline = [...prose.matchAll(/\]\(\s*<?([^)\s>]+)>?[^)]*\)/g)].map((match) => match[1]);
    const definition = /^\s*\[[^\]]+\]:\s*<?(\S+?)>?(\s|$)/.exec(prose);
    return [...inline, ...(definition ? [definition[1]] : [])].map((target) => ({ target, number }));
  });

/** What a heading is called in a link: lower case, hyphens for spaces, punctuation gone. */
export const slug = (heading) =>
  heading
    .replace(/<[^>]*>/g, "")
    .replace(/[`*]|\[([^\]]*)\]\([^)]*\)/g, "$1")
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, "")
    .replace(/\s/g, "-");

/** Every name a link can jump to. Equal headings are numbered. */
export const anchorsIn = (page) => {
  const anchors = new Set();
  const seen = new Map();
  for (const { text } of proseLines(page)) {
    for (const match of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(match[1]);
    const heading = /^#{1,6}\s+(.*?)\s*#*$/.exec(text);
    if (!heading) continue;
    const name = slug(heading[1]);
    const count = seen.get(name) ?? 0;
    seen.set(name, count + 1);
    anchors.add(count === 0 ? name : `${name}-${count}`);
  }
  return anchors;
};

/** The lines of a page as people read them: code is left out. */
export const proseOf = (page) => {
  const lines = page.split(/\r?\n/).map(() => "");
  for (const { number, text } of proseLines(page)) lines[number - 1] = text.replace(/`[^`]*`/g, "");
  return lines;
};

/** The headings of a page in order. Two pages have the same parts where level and given anchor (`shape`) are the same. */
export const outlineOf = (page) =>
  proseLines(page).flatMap(({ text }) => {
    const [, level, heading] = /^(#{1,6})\s+(.*)$/.exec(text) ?? [];
    if (!level) return [];
    const anchor = /<a (?:id|name)="([^"]+)"/.exec(heading)?.[1] ?? "";
    return [{ shape: level + anchor, text: heading }];
  });
