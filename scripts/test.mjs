// `npm test`: everything that has to hold before a change is called done, except style (`npm run lint`).
// What follows `--` goes to the test runner and leaves out the rest: npm test -- -p sync

import { readdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { buildPage, installPackages } from "./lib/page.mjs";
import { buildEnvironment, provide, provideOracles, toBuild, toBuildWindow, toTest, toTestPage, toTestWindow } from "./lib/prerequisites.mjs";
import { outputOf, root, run, runSteps } from "./lib/run.mjs";

if (!(await provide([...toBuild, ...toBuildWindow, ...toTest, ...toTestPage, ...toTestWindow]))) process.exit(1);
await provideOracles();

// Many tests wait for clocks and other programs: one more at a time than there are processors keeps these busy.
const env = { NEXTEST_TEST_THREADS: process.env.NEXTEST_TEST_THREADS ?? String(availableParallelism() + 1), ...buildEnvironment() };
const chosen = process.argv.slice(2);
const hasNextest = outputOf("cargo", ["nextest", "--version"]) !== undefined;
if (!hasNextest) console.log("cargo-nextest isn't installed; cargo test does the same, more slowly.");
const runner = hasNextest ? ["nextest", "run"] : ["test", "--tests", "--bins"];

if (chosen.length > 0) {
  process.exit(await run("cargo", [...runner, ...(chosen.includes("-p") ? [] : ["--workspace"]), ...chosen], { env }));
}

if (!(await installPackages()) || !(await buildPage())) process.exit(1);

const scriptTests = readdirSync(new URL("scripts", root), { recursive: true })
  .filter((file) => file.endsWith(".test.mjs"))
  .map((file) => `scripts/${file}`);

// Always the whole workspace: a choice of crates is another set of features, and builds most of them once more.
process.exit(
  await runSteps([
    // Once for all systems: the architecture tests ask what the other ones would pull in.
    { name: "Fetching crates", program: "cargo", args: ["fetch", "--locked"] },
    { name: "Tests", program: "cargo", args: [...runner, "--workspace", "--locked"], env },
    { name: "Examples in the documentation", program: "cargo", args: ["test", "--workspace", "--doc", "--locked"], env },
    { name: "Scripts", program: process.execPath, args: ["--test", ...scriptTests] },
    {
      name: "Page of the window",
      program: process.execPath,
      args: ["node_modules/vitest/vitest.mjs", "run", "--config", "ui/vite.config.ts"],
    },
    { name: "Gallery of the page", program: process.execPath, args: ["scripts/test-ui.mjs"] },
    { name: "Window", program: process.execPath, args: ["scripts/test-window.mjs"] },
  ]),
);
