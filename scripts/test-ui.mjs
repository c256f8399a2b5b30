// `npm run test:ui`: every screen of the page in every state, in a browser, without the rest of the program.
// CHROMIUM names another browser than Debian's.

import { existsSync, readdirSync } from "node:fs";
import { installPackages } from "./lib/page.mjs";
import { provide, toTestPage } from "./lib/prerequisites.mjs";
import { root, run } from "./lib/run.mjs";

if (!(await provide(toTestPage)) || !(await installPackages())) process.exit(1);
if (!existsSync(process.env.CHROMIUM ?? "/usr/bin/chromium")) {
  console.log("Without Chromium the gallery of the page isn't looked at; CHROMIUM can name it.");
  process.exit(0);
}
const tests = readdirSync(new URL("ui/tests", root)).filter((file) => file.endsWith(".test.mjs"));
process.exit(await run(process.execPath, ["--test", ...tests.map((file) => `ui/tests/${file}`)]));
