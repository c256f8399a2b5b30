import assert from "node:assert/strict";
import { test } from "node:test";
import { countOf } from "./data.mjs";
import { markdownTable, median, percentile, ratio } from "./table.mjs";

test("a median doesn't move because one run was odd", () => {
  assert.equal(median([3, 1, 200]), 3);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test("of a hundred numbers, one is above the 99th percentile", () => {
  const numbers = Array.from({ length: 100 }, (_, number) => 100 - number);
  assert.equal(percentile(numbers, 0.99), 99);
  assert.equal(percentile(numbers, 0.5), 50);
  assert.equal(percentile([7], 0.99), 7);
});

test("runs are compared with the run next to them", () => {
  assert.equal(ratio([2, 30, 4], [2, 10, 4]), 1);
});

test("sizes are numbers of items, or the set", () => {
  assert.equal(countOf("1k"), 1000);
  assert.equal(countOf("1M"), 1_000_000);
  assert.equal(countOf("set"), 20_000);
  assert.throws(() => countOf("many"), /no size/);
});

test("columns have even widths", () => {
  const table = markdownTable([["tool", "s"], ["rsync", "10.5"]]);
  assert.equal(table, "| tool  |    s |\n|-------|-----:|\n| rsync | 10.5 |");
});
