// The messages that people can meet, as the English texts (Fluent) name them.

/** Code and headline of every message like `S02 = There is no room left.`; the variables in it become `…`. */
export const headlinesIn = (texts) => {
  const headlines = new Map();
  const lines = texts.split(/\r?\n/);
  for (const [index, line] of lines.entries()) {
    const [, code, value] = /^([A-Z]\d{2}) = (.*)$/.exec(line) ?? [];
    if (!code) continue;
    // Where a headline has several forms, the default one (with the star) stands for all.
    const isChoice = value.endsWith("->");
    const chosen = isChoice ? /^\s*\*\[\w+\]\s*(.*)$/.exec(lines.slice(index).find((next) => /^\s*\*\[/.test(next)))[1] : value;
    headlines.set(code, chosen.replace(/\{\s*\$\w+\s*\}/g, "…"));
  }
  return headlines;
};
