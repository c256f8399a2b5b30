// Figures of several runs as a table.

/** The middle one; of an even number the mean of the two in the middle. */
export const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(half)] : (sorted[half - 1] + sorted[half]) / 2;
};

/** The number below which that part of all numbers lies. */
export const percentile = (numbers, part) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * part) - 1)];
};

/** The median of the ratios run by run: these machines swing, and only what ran next to each other compares. */
export const ratio = (ours, theirs) => median(ours.map((number, run) => number / theirs[run]));

export const seconds = (number) => (number < 10 ? number.toFixed(2) : number.toFixed(1));

export const megabytes = (bytes) => String(Math.round(bytes / 1e6));

/** Rows of texts as Markdown, with columns of even width; the first column is words, the others numbers. */
export const markdownTable = ([head, ...rows]) => {
  const widths = head.map((_, column) => Math.max(3, ...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((text, column) => (column === 0 ? text.padEnd(widths[column]) : text.padStart(widths[column]))).join(" | ")} |`;
  const rule = `|${widths.map((width, column) => (column === 0 ? "-".repeat(width + 2) : `${"-".repeat(width + 1)}:`)).join("|")}|`;
  return [line(head), rule, ...rows.map(line)].join("\n");
};
