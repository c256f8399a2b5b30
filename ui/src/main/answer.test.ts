import { expect, test } from "vitest";
import { answerTo } from "./answer.ts";

test("the button of a problem does what helps", () => {
  expect(answerTo("N09")).toBe("switch-on");
  expect(answerTo("N42")).toBe("use-metered");
  expect(["D02", "D03", "N01", "S02", "S03"].map(answerTo)).toEqual(Array(5).fill("try-again"));
  expect(["N04", "N05", "A03"].map(answerTo)).toEqual(Array(3).fill("why-no-connection"));
});

test("what only has to be known leads to the page about it", () => {
  expect(["S04", "S06", "S09", "C01"].map(answerTo)).toEqual(Array(4).fill(null));
});
