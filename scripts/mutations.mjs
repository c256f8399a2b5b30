// Breaks a copy of the engine on purpose, one way at a time, and sees that a test notices.
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const mutations = join(root, "tests/mutations");
const only = process.argv[2];
// Always the same place, so that only what a patch changes is built again.
const copy = join(root, "target/mutations");

const run = (command, args) =>
  spawnSync(command, args, {
    cwd: copy,
    encoding: "utf8",
    timeout: 600_000,
    maxBuffer: 1 << 28,
    env: { ...process.env, CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? join(root, "target"), RUST_BACKTRACE: "0" },
  });

/** The engine and its stories are a workspace of their own: nothing else has to be built. */
const prepare = () => {
  for (const part of ["crates/pim", "crates/sync", "tests/src", "tests/simulation", "Cargo.lock"]) {
    rmSync(join(copy, part), { recursive: true, force: true });
    cpSync(join(root, part), join(copy, part), { recursive: true });
  }
  const manifest = readFileSync(join(root, "Cargo.toml"), "utf8");
  const engine = manifest
    .replace(/members = \[.*\]/, 'members = ["crates/*", "tests"]')
    .replace(/^(app|identity|net|stores) = \{ path.*\n/gm, "");
  writeFileSync(join(copy, "Cargo.toml"), engine);
  const tests = readFileSync(join(root, "tests/Cargo.toml"), "utf8").split("[dependencies]")[0];
  const rest = `[dependencies]\nblake3.workspace = true\npim.workspace = true\nsync.workspace = true\n
[[test]]\nname = "simulation"\npath = "simulation/main.rs"\n`;
  writeFileSync(join(copy, "tests/Cargo.toml"), tests + rest);
};

let unnoticed = 0;
for (const file of readdirSync(mutations).filter((name) => name.endsWith(".patch")).sort()) {
  if (only && !file.includes(only)) continue;
  prepare();
  const patch = spawnSync("patch", ["-p1", "-i", join(mutations, file)], { cwd: copy, encoding: "utf8" });
  if (patch.status !== 0) {
    console.error(`${file}: doesn't apply any more\n${patch.stdout}`);
    unnoticed += 1;
    continue;
  }
  const built = run("cargo", ["test", "--offline", "--no-run", "-p", "sync", "-p", "tests"]);
  if (built.status !== 0) {
    console.error(`${file}: doesn't build\n${built.stderr.slice(-2000)}`);
    unnoticed += 1;
    continue;
  }
  const tested = run("cargo", ["test", "--offline", "--no-fail-fast", "-p", "sync", "-p", "tests"]);
  const noticed = [...tested.stdout.matchAll(/^test (\S+) \.\.\. FAILED$/gm)].map((match) => match[1]);
  if (tested.status === 0) unnoticed += 1;
  console.log(`${file}: ${tested.status === 0 ? "NOT NOTICED" : `noticed by ${noticed.join(", ") || "a crash"}`}`);
}
rmSync(copy, { recursive: true, force: true });
process.exit(unnoticed === 0 ? 0 : 1);
