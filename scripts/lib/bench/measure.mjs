// How long a program took, what it computed and how much memory it had. Linux tells by /proc, GNU time by wait4.

import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const TICKS_PER_SECOND = 100;
const KIB = 1024;

/**
 * Runs a program to its end. `beside` are processes that work for it and stay: what they compute meanwhile counts too.
 * Resolves to seconds, CPU seconds, the peak memory of the largest process started, and what was printed.
 */
export const measure = async (program, args, { env = {}, beside = [] } = {}) => {
  const folder = mkdtempSync(join(tmpdir(), "tandem-bench-"));
  const report = join(folder, "time");
  try {
    // What an earlier step left to be written isn't this one's work.
    spawnSync("sync");
    const before = beside.map(cpuOf);
    const started = performance.now();
    const said = await ended("/usr/bin/time", ["-o", report, "-f", "%U %S %M", program, ...args], env);
    const seconds = (performance.now() - started) / 1000;
    if (said.code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${said.code}:\n${said.stderr.slice(-2000)}`);
    const [user, system, peak] = readFileSync(report, "utf8").trim().split("\n").at(-1).split(" ").map(Number);
    const cpuBeside = beside.reduce((sum, pid, at) => sum + cpuOf(pid) - before[at], 0);
    return { seconds, cpu: user + system + cpuBeside, peak: peak * KIB, ...said };
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const ended = (program, args, env) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...env } });
    const said = { stdout: "", stderr: "" };
    for (const stream of ["stdout", "stderr"]) child[stream].on("data", (text) => (said[stream] += text));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...said }));
  });

/** CPU seconds of a process, of its children, and of those that ended and were waited for. */
export const cpuOf = (pid) => {
  const fields = statOf(pid);
  // utime, stime, cutime, cstime: fields 14 to 17 of the line; the first two are the number and the name.
  const own = fields.slice(11, 15).map(Number).reduce((sum, ticks) => sum + ticks, 0) / TICKS_PER_SECOND;
  return childrenOf(pid).reduce((sum, child) => sum + cpuOf(child), own);
};

const statOf = (pid) => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name may hold blanks and brackets itself.
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
};

const childrenOf = (pid) =>
  readdirSync(`/proc/${pid}/task`).flatMap((task) => {
    const children = readFileSync(`/proc/${pid}/task/${task}/children`, "utf8");
    return children.split(" ").filter(Boolean).map(Number);
  });

/** Bytes of memory a process has now, and the most it ever had. */
export const memoryOf = (pid) => {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const bytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)[1]) * KIB;
  return { now: bytes("VmRSS"), peak: bytes("VmHWM") };
};
