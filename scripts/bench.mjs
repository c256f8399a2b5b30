// `npm run bench`: how fast Tandem is and what it needs, next to the tools people know, in turns on the same data.
//
//   npm run bench -- --sizes 1k,10k,100k,set --peers rsync,unison,mbsync,dsync --runs 5 [--upload] [--keep]
//
// Both ends run on this computer. Prints a table for each size, and writes all single figures to target/bench/results.json.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { addMessages, markAnswered } from "./lib/bench/changes.mjs";
import { provideData } from "./lib/bench/data.mjs";
import { peers } from "./lib/bench/peers.mjs";
import { markdownTable, median, megabytes, percentile, ratio, seconds } from "./lib/bench/table.mjs";
import { beginTandem } from "./lib/bench/tandem.mjs";
import { buildTandem } from "./lib/build.mjs";
import { differencesBetween } from "./lib/compare.mjs";
import { provide, toBuild } from "./lib/prerequisites.mjs";
import { has, root } from "./lib/run.mjs";

const { values: options } = parseArgs({
  options: {
    sizes: { type: "string", default: "1k,10k,set" },
    peers: { type: "string", default: [...peers.keys()].join(",") },
    runs: { type: "string", default: "3" },
    live: { type: "string", default: "100" },
    tandem: { type: "string" },
    upload: { type: "boolean", default: false },
    keep: { type: "boolean", default: false },
  },
});
const STEPS = ["first copy", "no change", "one new", "ten new", "200 flags"];
const BASELINE = "rsync";

if (process.platform !== "linux" || !has("/usr/bin/time")) {
  console.error("The benchmark needs Linux and GNU time (Debian: apt-get install time).");
  process.exit(1);
}
if (!(await provide(toBuild))) process.exit(1);
const tandem = options.tandem ?? (await buildTandem());
if (!tandem) process.exit(1);

const place = fileURLToPath(new URL("target/bench", root));
const chosen = options.peers.split(",").filter(Boolean);
for (const name of chosen.filter((name) => !peers.has(name))) throw new Error(`no such peer: ${name}`);
const [there, missing] = [true, false].map((isThere) => chosen.filter((name) => peers.get(name).isThere() === isThere));
if (missing.length > 0) console.log(`Not here, or not for this user: ${missing.join(", ")}`);
const tools = new Map([
  ["tandem", (work) => beginTandem(tandem, work)],
  ...(options.upload ? [["tandem up", (work) => beginTandem(tandem, work, { isUpload: true })]] : []),
  ...there.map((name) => [name, peers.get(name).begin]),
]);

/** Runs a tool through all steps on a fresh copy of the data. */
const tell = async (tool, begin, data) => {
  // A place of its own, and nothing is removed before the end: ext4 is slow at making files where many went just now.
  const work = mkdtempSync(join(works, "run-"));
  spawnSync("cp", ["-a", data.folder, join(work, "a")]);
  const mail = join(work, "a/mail");
  const { sync, live, own, end } = await begin(work);
  const changed = async (change) => {
    // Folders that changed just now are listed again by everybody; people aren't that fast.
    await new Promise((resolve) => setTimeout(resolve, 2_200));
    change();
    own?.();
    return sync();
  };
  const figures = { steps: [await sync()] };
  try {
    // What a tool notes down after a first copy isn't part of a run without changes.
    await changed(() => {});
    figures.steps.push(await changed(() => {}));
    figures.steps.push(await changed(() => addMessages(mail, 1)));
    figures.steps.push(await changed(() => addMessages(mail, 10)));
    figures.steps.push(await changed(() => markAnswered(mail, 200)));
    if (live) figures.live = await live(Number(options.live));
  } finally {
    await end();
  }
  // IMAP tools name folders in their own ways; what they copied is not ours to judge.
  if (!["mbsync", "dsync"].includes(tool)) {
    const differences = differencesBetween(join(work, "a"), join(work, "b"));
    if (differences.length > 0) throw new Error(`${tool} left differences:\n${differences.slice(0, 10).join("\n")}`);
  }
  return figures;
};

const print = (data, results) => {
  const of = (tool, pick) => results.get(tool).map(pick);
  const baseline = results.has(BASELINE) ? BASELINE : undefined;
  const compared = (tool, pick, show) => {
    const numbers = of(tool, pick);
    const text = show(median(numbers));
    return baseline && tool !== baseline ? `${text} (${ratio(numbers, of(baseline, pick)).toFixed(2)}×)` : text;
  };
  const rows = [...results.keys()].map((tool) => {
    const first = ({ steps }) => steps[0];
    const peaks = [first, (figures) => ({ peak: first(figures).serverPeak })].map((pick) => of(tool, (figures) => pick(figures).peak));
    return [
      tool,
      compared(tool, (figures) => first(figures).seconds, seconds),
      compared(tool, (figures) => first(figures).cpu, seconds),
      peaks.filter(([peak]) => peak !== undefined).map((numbers) => megabytes(median(numbers))).join(" / "),
      ...STEPS.slice(1).map((_, step) => seconds(median(of(tool, ({ steps }) => steps[step + 1].seconds)))),
    ];
  });
  const head = ["tool", "first copy s", "CPU s", "peak MB", ...STEPS.slice(1).map((step) => `${step} s`)];
  console.log(`\n## ${data.files} messages, ${megabytes(data.bytes)} MB\n\n${markdownTable([head, ...rows])}\n`);
  for (const tool of results.keys()) {
    const lives = of(tool, ({ live }) => live).filter(Boolean);
    if (lives.length === 0) continue;
    const latencies = lives.flatMap(({ latencies }) => latencies);
    const wires = of(tool, ({ steps }) => steps[1].wire);
    const [stream, udp] = ["stream", "udp"].map((name) => median(wires.map((wire) => wire[name])));
    const idle = lives.map(({ idle }) => idle);
    const memory = [0, 1].map((end) => megabytes(median(idle.map(({ memory }) => memory[end]))));
    console.log(`${tool}: live p50 ${percentile(latencies, 0.5).toFixed(0)} ms, p99 ${percentile(latencies, 0.99).toFixed(0)} ms; ` +
      `no change: ${stream} bytes of stream payload, ${udp} bytes of UDP; ` +
      `idle: ${memory.join(" / ")} MB (server / client), ${(median(idle.map(({ cpuShare }) => cpuShare)) * 100).toFixed(1)} % CPU`);
  }
};

console.log(`${cpus().length} × ${cpus()[0].model}; ${options.runs} runs; peak: largest process, for Tandem client / server`);
const works = join(place, "work");
rmSync(works, { recursive: true, force: true });
mkdirSync(works, { recursive: true });
const written = {};
for (const size of options.sizes.split(",")) {
  const data = provideData(join(place, "data"), size);
  const results = new Map([...tools.keys()].map((tool) => [tool, []]));
  for (let run = 0; run < Number(options.runs); run += 1) {
    for (const [tool, begin] of tools) {
      const figures = await tell(tool, begin, data);
      results.get(tool).push(figures);
      const steps = figures.steps.map(({ seconds: taken }, step) => `${STEPS[step]} ${seconds(taken)}`).join(", ");
      console.log(`${size} run ${run + 1} ${tool}: ${steps} s; first copy ${seconds(figures.steps[0].cpu)} CPU s`);
      written[size] = Object.fromEntries(results);
      mkdirSync(place, { recursive: true });
      const plain = (key, value) => (["stdout", "stderr"].includes(key) ? undefined : value);
      writeFileSync(join(place, "results.json"), `${JSON.stringify(written, plain, 1)}\n`);
    }
  }
  print(data, results);
}
if (!options.keep) rmSync(works, { recursive: true, force: true });
