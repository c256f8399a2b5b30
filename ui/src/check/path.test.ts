import { expect, it } from "vitest";
import type { Check } from "../ipc/bindings/Check.ts";
import { links } from "./path.ts";

const check = (id: string, result: string): Check => ({ id, result, problem: null });

it("the way is whole up to the first rung that doesn't hold, and unknown behind it", () => {
  const checks = [check("network", "ok"), check("findable", "problem"), check("server-online", "skipped")];
  expect(links(checks, 4)).toEqual(["open", "broken", "unknown", "unknown"]);
});

it("a server that doesn't answer breaks the last stretch", () => {
  expect(links([check("network", "ok"), check("server-online", "problem")], 4)).toEqual(["open", "open", "open", "broken"]);
  expect(links([check("server-online", "problem")], 1)).toEqual(["broken"]);
});

it("data that can't be read says nothing about the way", () => {
  expect(links([check("network", "ok"), check("data-readable", "problem")], 1)).toEqual(["open"]);
});

it("nothing checked is nothing known", () => {
  expect(links([], 1)).toEqual(["unknown"]);
  expect(links([check("network", "skipped")], 1)).toEqual(["unknown"]);
});
