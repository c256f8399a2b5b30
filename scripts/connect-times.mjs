// `npm run connect-times`: from `tandem run` to a link, medians of 20, in network namespaces (needs root).

import { run } from "./lib/run.mjs";

const failed = await run("cargo", ["build", "--release", "-p", "cli", "-p", "directory-server"]);
const words = ["test", "--release", "-p", "tests", "--test", "network", "figures_of", "--", "--ignored", "--nocapture", "--test-threads=1"];
process.exit(failed || (await run("cargo", words)));
