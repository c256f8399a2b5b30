// `npm run fuzz`: a minute of libFuzzer for everything that reads bytes of others (SECONDS=n for another time).
// Names after `--` choose: npm run fuzz -- frame link
// What makes a reader fall over belongs into tests/fixtures/found/NAME; npm test tries it from then on.

import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { outputOf, root, run, runSteps } from "./lib/run.mjs";

if (outputOf("cargo", ["+nightly", "fuzz", "--version"]) === undefined) {
  console.error("Needs a nightly compiler and cargo-fuzz:\n  rustup toolchain install nightly\n  cargo install --locked cargo-fuzz@0.13.2");
  process.exit(1);
}
const targets = readdirSync(new URL("fuzz/fuzz_targets", root)).map((file) => file.replace(".rs", ""));
const chosen = process.argv.length > 2 ? process.argv.slice(2) : targets;
const seconds = process.env.SECONDS ?? "60";

const samples = fileURLToPath(new URL("fuzz/corpus", root));
const written = await run("cargo", ["test", "-p", "tests", "--test", "foreign", "--", "--ignored", "samples_are_written"], {
  env: { TANDEM_SAMPLES: samples },
});
if (written !== 0) process.exit(written);

process.exit(
  await runSteps(
    chosen.map((name) => ({
      name,
      program: "cargo",
      // No sanitizer: what is fuzzed has no unsafe code. The bounds are what a computer may lose by one message.
      args: ["+nightly", "fuzz", "run", "--sanitizer=none", name, "--",
        `-max_total_time=${seconds}`, "-timeout=10", "-rss_limit_mb=1024", "-malloc_limit_mb=512", "-max_len=300000"],
    })),
  ),
);
