import assert from "node:assert/strict";
import { test } from "node:test";
import { timeLeft } from "./build.mjs";
import { anchorsIn, linksIn, slug } from "./markdown.mjs";
import { headlinesIn } from "./messages.mjs";
import { installation, isAtLeast } from "./prerequisites.mjs";

test("versions compare by number", () => {
  assert.equal(isAtLeast("1.95", "cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), true);
  assert.equal(isAtLeast("1.95", "cargo 1.100.0"), true);
  assert.equal(isAtLeast("1.95", "cargo 1.94.3"), false);
  assert.equal(isAtLeast("1.95", "0"), false);
});

test("one command installs all that is missing, and none is offered where no package is known", () => {
  const apt = { program: "apt-get", key: "apt", install: ["install", "--yes"] };
  const compiler = { packages: { apt: ["gcc", "libc6-dev"] } };
  const rust = { help: "by rustup" };
  assert.deepEqual(installation([rust, compiler], apt), ["apt-get", "install", "--yes", "gcc", "libc6-dev"]);
  assert.equal(installation([rust], apt), undefined);
});

test("the time left is told once there is something to judge by", () => {
  assert.equal(timeLeft(5, 3, 100), "");
  assert.equal(timeLeft(60, 20, 100), "about 5 min left");
  assert.equal(timeLeft(60, 100, 10), "less than a minute left");
  assert.equal(timeLeft(60, 100, 0), "");
});

test("links are found in prose and not in code", () => {
  const page = [
    "See [one](a.md) and ![two](b.png \"title\"), not `[three](c.md)`.",
    "```sh",
    "[four](d.md)",
    "```",
    "[five]: <e.md>",
  ].join("\n");
  assert.deepEqual(linksIn(page), [
    { target: "a.md", number: 1 },
    { target: "b.png", number: 1 },
    { target: "e.md", number: 5 },
  ]);
});

test("anchors are made as code hosts make them", () => {
  assert.equal(slug("`tandem join` – the *first* time?"), "tandem-join--the-first-time");
  assert.deepEqual([...anchorsIn("# Twice\n## Twice\n<a id=\"N03\"></a>\n```\n# not here\n```\n")], ["twice", "twice-1", "N03"]);
});

test("headlines are read from the texts, in their default form", () => {
  const texts = [
    "# N99 = a comment",
    "A01 = «{ $server }» says no.",
    "    .body = B01 = no message.",
    "S01 = { $n ->",
    "        [one] One item waits.",
    "       *[other] { $n } items wait.",
    "    }",
    "duration-days = five",
  ].join("\n");
  assert.deepEqual([...headlinesIn(texts)], [["A01", "«…» says no."], ["S01", "… items wait."]]);
});
