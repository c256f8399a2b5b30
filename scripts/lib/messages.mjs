// The codes of the messages that people can meet, as the English texts name them.

/** `S04` from a text like `s04-headline = …` or `S04 = …`. Sorted, each once. */
export const messageCodesIn = (texts) =>
  [...new Set([...texts.matchAll(/^-?(?:[a-z]+-)?([a-z]\d{2})(?=[-\s=.])/gim)].map((match) => match[1].toUpperCase()))].sort();
