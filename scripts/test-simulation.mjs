// `npm run test:simulation`: far more stories than `npm test` tells. The engine in memory, 10,000 of each kind (SEEDS=n);
// whole computers over bad lines, 100 of each (LINE_SEEDS=1-100 or 3,7). A story that fails names its seed.

import { runSteps } from "./lib/run.mjs";

const env = { SEEDS: process.env.SEEDS ?? "10000", LINE_SEEDS: process.env.LINE_SEEDS ?? "1-100" };
process.exit(
  await runSteps([
    {
      name: "The engine in memory",
      program: "cargo",
      args: ["test", "--release", "-p", "tests", "--test", "simulation", "--", "--nocapture"],
      env,
    },
    {
      name: "Whole computers over bad lines",
      program: "cargo",
      args: ["test", "-p", "app", "--test", "stories", "--", "--nocapture", "--test-threads", "1", "bad_line"],
      env,
    },
  ]),
);
