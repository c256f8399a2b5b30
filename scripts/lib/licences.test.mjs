import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cratesOf, thirdParty } from "./licences.mjs";

const folder = mkdtempSync(join(tmpdir(), "tandem-licences-"));
after(() => rmSync(folder, { recursive: true }));

const crate = (name, terms) => {
  mkdirSync(join(folder, name));
  for (const [file, text] of Object.entries(terms)) writeFileSync(join(folder, name, file), text);
  return { id: name, name, version: "1.0.0", license: "MIT", repository: null, manifest_path: join(folder, name, "Cargo.toml") };
};
const node = (id, deps = {}) => ({
  id,
  deps: Object.entries(deps).map(([pkg, kind]) => ({ pkg, dep_kinds: [{ kind }] })),
});

test("what is linked into a program is listed, with each of the terms once; what only builds or tests isn't", () => {
  const mit = "Permission is hereby granted …";
  const metadata = {
    packages: [
      crate("ours", { LICENSE: "our own" }),
      crate("a", { "LICENSE-MIT": mit, "README.md": "no terms" }),
      crate("b", { "license.txt": `${mit}\r\n` }),
      crate("builder", { COPYING: "of the builder" }),
      crate("tester", { COPYING: "of the tester" }),
    ],
    workspace_members: ["ours"],
    resolve: { nodes: [node("ours", { a: null, builder: "build", tester: "dev" }), node("a", { b: null }), node("b")] },
  };
  const text = thirdParty(cratesOf(metadata, ["ours"]));
  assert.match(text, /^a 1\.0\.0: MIT\nb 1\.0\.0: MIT$/m);
  assert.equal(text.split(mit).length - 1, 1);
  assert.match(text, /^a 1\.0\.0, b 1\.0\.0$/m);
  assert.doesNotMatch(text, /of the builder|of the tester|our own/);
});
