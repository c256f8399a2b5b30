// `npm run test:window`: the real program in a real window, on a screen and a message bus of its own.
// What follows `--` goes to Node's test runner, but for `--release`: built as for people. TANDEM_DESKTOP and TANDEM name other programs to test, TANDEM_PICTURES a folder
// for pictures of the screen.

import { readdirSync } from "node:fs";
import { buildTandem, buildWindow } from "./lib/build.mjs";
import { buildPage, installPackages } from "./lib/page.mjs";
import { provide, toBuild, toBuildWindow, toTestWindow } from "./lib/prerequisites.mjs";
import { outputOf, root, run } from "./lib/run.mjs";

if (process.platform !== "linux") {
  console.log("The tests of the window run on Linux only.");
  process.exit(0);
}
if (!(await provide([...toBuild, ...toBuildWindow, ...toTestWindow]))) process.exit(1);
if (outputOf("sh", ["-c", "command -v WebKitWebDriver && command -v xvfb-run && command -v openbox"]) === undefined) {
  console.log("Without a screen and a driver for the web view the tests of the window are left out.");
  process.exit(0);
}

const given = process.argv.slice(2);
const chosen = given.filter((argument) => argument !== "--release");
const profile = given.length > chosen.length ? "release" : "dev";
let { TANDEM_DESKTOP: program, TANDEM: terminal } = process.env;
if (!program) {
  if (!(await installPackages()) || !(await buildPage())) process.exit(1);
  program = await buildWindow({ profile });
}
terminal ??= program && (await buildTandem({ profile }));
if (!program || !terminal) process.exit(1);

const tests = readdirSync(new URL("tests/window", root))
  .filter((file) => file.endsWith(".test.mjs"))
  .map((file) => `tests/window/${file}`);
// One file after the other: they share the screen, the mouse and the keyboard.
const runner = [process.execPath, "--test", "--test-concurrency=1", ...(chosen.length > 0 ? chosen : tests)];
const desk = ["-a", "-s", "-screen 0 1280x900x24", "dbus-run-session", "--", ...runner];
process.exit(await run("xvfb-run", desk, { env: { TANDEM_DESKTOP: program, TANDEM: terminal, NO_AT_BRIDGE: "1" } }));
