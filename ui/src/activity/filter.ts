import type { EntryView } from "../ipc/bindings/EntryView.ts";

export const filters = ["all", "added", "changed", "deleted", "conflicts"] as const;
export type Filter = (typeof filters)[number];

/** Which actions a filter shows; moves and flags are changes. Those of folders are shown with all. */
const actions: Record<Exclude<Filter, "all">, readonly string[]> = {
  added: ["added"],
  changed: ["changed", "moved", "flagged"],
  deleted: ["deleted"],
  conflicts: ["conflict"],
};

export function matches(entry: EntryView, filter: Filter, words: string): boolean {
  const text = `${entry.title} ${entry.folder}`.toLocaleLowerCase();
  const isOfKind = filter === "all" || actions[filter].includes(entry.action);
  return isOfKind && words.toLocaleLowerCase().split(/\s+/).every((word) => text.includes(word));
}

/** The changes of a run as comma-separated values (RFC 4180). */
export function asTable(entries: readonly EntryView[]): string {
  // A cell that begins like a formula would be run by some spreadsheets.
  const cell = (text: string): string => `"${text.replace(/^[=+\-@\t]/, "'$&").replaceAll('"', '""')}"`;
  const rows = entries.map((entry) => [entry.action, entry.folder, entry.title, entry.isHere ? "here" : "there"]);
  return [["action", "folder", "title", "side"], ...rows].map((row) => row.map(cell).join(",")).join("\r\n");
}
