// `npm start`: checks what is needed, builds `tandem` and runs its guided start. What follows `--` goes to the program:
// npm start -- --config-dir DIR

import { buildTandem } from "./lib/build.mjs";
import { provide, toBuild } from "./lib/prerequisites.mjs";
import { run } from "./lib/run.mjs";

console.log("[1/3] Checking what is needed to build Tandem");
if (!(await provide(toBuild))) process.exit(1);

console.log("[2/3] Building Tandem (the first time takes some minutes)");
const tandem = await buildTandem();
if (!tandem) process.exit(1);

console.log("[3/3] Starting\n");
process.exit(await run(tandem, ["start", ...process.argv.slice(2)]));
