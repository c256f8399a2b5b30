import { expect, it } from "vitest";
import type { EntryView } from "../ipc/bindings/EntryView.ts";
import { asTable, matches } from "./filter.ts";

const entry: EntryView = {
  id: 1,
  item: "a1",
  action: "moved",
  isHere: true,
  folder: "contacts/Customers",
  title: "Jonas Weber",
  isUndone: false,
};

it("a move is found among the changes", () => {
  expect(matches(entry, "changed", "")).toBe(true);
  expect(matches(entry, "deleted", "")).toBe(false);
});

it("every word that is searched for has to be there, in any case and order", () => {
  expect(matches(entry, "all", "WEBER customers")).toBe(true);
  expect(matches(entry, "all", "weber private")).toBe(false);
});

it("a title can neither break out of its cell nor be taken for a formula", () => {
  const table = asTable([{ ...entry, title: '=HYPERLINK("x")' }]);
  expect(table.split("\r\n")[1]).toBe(`"moved","contacts/Customers","'=HYPERLINK(""x"")","here"`);
});
