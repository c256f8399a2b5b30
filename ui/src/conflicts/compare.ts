import type { FieldView } from "../ipc/bindings/FieldView.ts";

/** A field of an item as both sides have it. */
export type Row = { name: string; server: string; other: string; isDifferent: boolean };

/** Both sides' fields beside each other, in the order they come. A field may come several times, as e-mail addresses do. */
export function rows(server: readonly FieldView[], other: readonly FieldView[]): Row[] {
  const texts = (fields: readonly FieldView[], name: string): string =>
    fields.filter((field) => field.name === name).map((field) => field.text).join("\n");
  const names = [...new Set([...server, ...other].map((field) => field.name))];
  return names.map((name) => {
    const [one, two] = [texts(server, name), texts(other, name)];
    return { name, server: one, other: two, isDifferent: one !== two };
  });
}
