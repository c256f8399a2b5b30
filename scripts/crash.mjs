// `npm run crash`: programs killed at 200 random moments, and at each step of a change. SEED=n tells another story.

import { run } from "./lib/run.mjs";

process.exit(await run("cargo", ["test", "-p", "app", "--test", "kills", "--", "--nocapture"], { env: { KILLS: "200" } }));
