// `npm start`: checks what is needed, builds Tandem and opens its window. What follows `--` goes to the program:
// npm start -- --config-dir DIR
//
// Without a display there is no window to open; then the terminal program shows two computers with sample data.

import { buildTandem, buildWindow } from "./lib/build.mjs";
import { buildPage, installPackages } from "./lib/page.mjs";
import { provide, toBuild, toBuildWindow } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";

const options = process.argv.slice(2);
const hasDisplay = process.platform !== "linux" || Boolean(process.env.DISPLAY || process.env.WAYLAND_DISPLAY);
const begun = Date.now();
const passed = () => `${Math.round((Date.now() - begun) / 1000)} s`;

/** A phase says its name, and how long it takes the first time. */
const phase = (number, of, name, firstTime) => console.log(`[${number}/${of}] ${name}${firstTime ? ` (the first time ${firstTime})` : ""}`);

if (hasDisplay) {
  phase(1, 4, "Checking what is needed", "it may install packages: about 1 min");
  if (!(await provide([...toBuild, ...toBuildWindow]))) process.exit(1);
  phase(2, 4, "Building the page", "less than 1 min");
  if (!(await installPackages()) || !(await buildPage())) process.exit(1);
  phase(3, 4, "Building Tandem", "about 10 min on 2 processors");
  const window = await buildWindow();
  if (!window) process.exit(1);
  phase(4, 4, `Opening the window after ${passed()}`);
  process.exit(await run(window, options));
}

console.log("There is no display here (DISPLAY and WAYLAND_DISPLAY are empty), so no window can be opened.");
console.log("The terminal program does the same work; it is built now and shows two computers with sample data.");
console.log("For a server without a desktop see docs/headless.md.\n");
phase(1, 3, "Checking what is needed");
if (!(await provide(toBuild))) process.exit(1);
phase(2, 3, "Building Tandem", "takes some minutes");
const tandem = await buildTandem();
if (!tandem) process.exit(1);
phase(3, 3, `Starting after ${passed()}\n`);
process.exit(await run(tandem, ["start", ...options]));
