// Starting other programs.

import { spawn, spawnSync } from "node:child_process";

export const root = new URL("../..", import.meta.url);

/** Runs a program in the project's folder, with our input and output. Resolves to its exit code. */
export const run = (program, args, { env = {}, input = "inherit", output = "inherit" } = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: root,
      stdio: [input, output, "inherit"],
      env: { ...process.env, ...env },
    });
    // Ctrl-C reaches the whole process group. The program ends in its own time, and we end after it.
    const wait = () => {};
    process.on("SIGINT", wait);
    child.on("error", reject);
    child.on("close", (code, signal) => {
      process.off("SIGINT", wait);
      resolve(signal ? 130 : code);
    });
  });

/** What a program prints, or `undefined` when it is missing or says no. */
export const outputOf = (program, args) => {
  const { status, stdout } = spawnSync(program, args, { cwd: root, encoding: "utf8" });
  return status === 0 ? stdout : undefined;
};

export const has = (program, versionFlag = "--version") => outputOf(program, [versionFlag]) !== undefined;

/** Runs named steps in order and stops at the first that says no. */
export const runSteps = async (steps) => {
  for (const { name, program, args, env } of steps) {
    console.log(`\n== ${name}`);
    const started = Date.now();
    const code = await run(program, args, { env });
    if (code !== 0) {
      console.error(`\n${name}: stopped with exit code ${code}`);
      return code;
    }
    console.log(`== ${name}: done in ${Math.round((Date.now() - started) / 1000)} s`);
  }
  return 0;
};
