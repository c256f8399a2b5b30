import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { cratesOf, packagesOf, thirdParty } from "./licences.mjs";

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

test("who names a licence and brings no text gets the standard one with its own name, and who names an unknown one is told", () => {
  const part = (name, licence, terms = {}) => ({ ...crate(name, terms), version: "1.0.0", licence, folder: join(folder, name) });
  const text = thirdParty([part("plain", "MIT/Apache-2.0"), part("both", "MIT AND Apache-2.0")]);
  assert.match(text, /Copyright \(c\) the authors of plain\n/);
  assert.match(text, /Copyright \(c\) the authors of both\n/);
  assert.match(text, /^both 1\.0\.0\n-+\n\n\s*Apache License/m);
  assert.throws(() => thirdParty([part("odd", "MIT AND Odd-1.0"), part("fine", "MIT")]), /of odd \(MIT AND Odd-1\.0\)$/);

  const reuse = part("reuse", "Odd-1.0");
  mkdirSync(join(folder, "reuse/LICENSES"));
  writeFileSync(join(folder, "reuse/LICENSES/Odd-1.0.txt"), "odd terms");
  assert.match(thirdParty([reuse]), /odd terms/);
  const stdlib = part("alloc-stdlib", "BSD-3-Clause");
  assert.match(thirdParty([stdlib, part("alloc-no-stdlib", "BSD-3-Clause", { LICENSE: "of both" })]), /^alloc-no-stdlib 1\.0\.0, alloc-stdlib 1\.0\.0\n-+\n\nof both$/m);
});

test("npm packages are followed to what they depend on, a package's own copy first", () => {
  const modules = join(folder, "node_modules");
  const npm = (path, more) => {
    mkdirSync(join(modules, path), { recursive: true });
    writeFileSync(join(modules, path, "package.json"), JSON.stringify({ version: "1.0.0", license: "MIT", ...more }));
  };
  npm("page", { dependencies: { a: "1", b: "1" } });
  npm("a", { dependencies: { b: "2" } });
  npm("a/node_modules/b", { version: "2.0.0", dependencies: { a: "1" } });
  npm("b", {});
  npm("elsewhere", {});
  const found = packagesOf(["page"], modules).map(({ name, version }) => `${name} ${version}`);
  assert.deepEqual(found.toSorted(), ["a 1.0.0", "b 1.0.0", "b 2.0.0", "page 1.0.0"]);
  assert.throws(() => packagesOf(["missing"], modules), /missing isn't installed/);
});
