// Building with a line that says how far it is.

import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { outputOf, root } from "./run.mjs";
import { buildEnvironment } from "./prerequisites.mjs";

/** `"about 3 min left"`. Until enough is done to judge by, nothing. */
export const timeLeft = (secondsSpent, builtNow, toBuild) => {
  if (builtNow < 10 || toBuild <= 0) return "";
  const seconds = (secondsSpent / builtNow) * toBuild;
  return seconds < 60 ? "less than a minute left" : `about ${Math.round(seconds / 60)} min left`;
};

/** Builds the terminal program. Resolves to its path, or to `undefined` when the compiler says no. */
export const buildTandem = (options) => buildProgram("tandem", options);

/** Builds the window. Its page has to be built before. */
export const buildWindow = (options) => buildProgram("tandem-desktop", options);

const buildProgram = async (name, { profile = "release" } = {}) => {
  const crates = new Set(outputOf("cargo", ["tree", "--workspace", "--edges", "normal,build", "--prefix", "none"])
    ?.split("\n").map((line) => line.split(" ").slice(0, 2).join(" ")).filter(Boolean));
  // One set of features for all that is ever built here: choosing single crates would build most of them twice.
  const choice = ["build", "--workspace", "--bin", name, "--profile", profile, "--locked"];
  const cargo = spawn("cargo", [...choice, "--quiet", "--message-format=json-render-diagnostics"], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...buildEnvironment() },
  });
  const ended = new Promise((resolve, reject) => cargo.on("error", reject).on("close", resolve));

  const started = Date.now();
  const done = new Set();
  let builtNow = 0;
  let program;
  const report = () => {
    const left = timeLeft((Date.now() - started) / 1000, builtNow, crates.size - done.size);
    const line = `  ${done.size} of ${crates.size} crates${left && `, ${left}`}`;
    if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${line}`);
    else console.log(line);
  };
  const ticking = setInterval(report, process.stdout.isTTY ? 500 : 20_000);

  for await (const line of createInterface({ input: cargo.stdout })) {
    const message = JSON.parse(line);
    if (message.reason !== "compiler-artifact") continue;
    if (message.executable && message.target.name === name) program = message.executable;
    if (message.target.kind.includes("custom-build") || done.has(message.package_id)) continue;
    done.add(message.package_id);
    if (!message.fresh) builtNow += 1;
  }
  clearInterval(ticking);
  if (process.stdout.isTTY) process.stdout.write("\r\x1b[K");
  const code = await ended;
  console.log(`  ${code === 0 ? "Built" : "Stopped"} after ${Math.round((Date.now() - started) / 1000)} s.`);
  return code === 0 ? program : undefined;
};
