// `npm run lint`: style, lints, documentation, generated files, licences.

import { existsSync } from "node:fs";
import { installPackages } from "./lib/page.mjs";
import { buildEnvironment, provide, toBuild, toBuildWindow } from "./lib/prerequisites.mjs";
import { outputOf, root, runSteps } from "./lib/run.mjs";

if (!(await provide([...toBuild, ...toBuildWindow]))) process.exit(1);
if (!(await installPackages())) process.exit(1);

const env = buildEnvironment();
const steps = [
  { name: "Formatting", program: "cargo", args: ["fmt", "--all", "--check"] },
  {
    name: "Clippy",
    program: "cargo",
    args: ["clippy", "--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"],
    env,
  },
  {
    name: "Documentation of the crates",
    program: "cargo",
    args: ["doc", "--workspace", "--no-deps", "--locked"],
    env: { ...env, RUSTDOCFLAGS: "-D warnings" },
  },
  {
    name: "Types of the page",
    program: process.execPath,
    args: ["node_modules/svelte-check/bin/svelte-check", "--tsconfig", "ui/tsconfig.json", "--fail-on-warnings"],
  },
  { name: "Links and message codes", program: process.execPath, args: ["scripts/docs.mjs"] },
];

// The tests write these files anew from the Rust types.
if (existsSync(new URL("ui/src/ipc", root))) {
  steps.push({ name: "Generated bindings", program: "git", args: ["diff", "--exit-code", "--", "ui/src/ipc"] });
}

if (outputOf("cargo", ["deny", "--version"])) {
  steps.push({
    name: "Licences and banned crates",
    program: "cargo",
    args: ["deny", "--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"],
  });
} else {
  console.log("cargo-deny isn't installed: licences aren't checked (cargo install --locked cargo-deny).");
}

process.exit(await runSteps(steps));
