// `npm run bench:directory`: look-ups a second and memory of tandem-directory with many records, in SQLite
// and in PostgreSQL, there also with two instances that share the database (memory is that of one).
// What follows `--` is the number of records, of seconds, of connections: npm run bench:directory -- 100000 10 16

import { mkdtempSync, readdirSync, rmSync, existsSync, readFileSync, chownSync } from "node:fs";
import { spawn, spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEnvironment, provide, toBuild } from "./lib/prerequisites.mjs";
import { root, run } from "./lib/run.mjs";

if (!(await provide(toBuild))) process.exit(1);
const numbers = process.argv.slice(2);
const built = await run("cargo", ["build", "--release", "--locked", "-p", "directory-server", "--bins", "--examples"], {
  env: buildEnvironment(),
});
if (built !== 0) process.exit(built);
const target = process.env.CARGO_TARGET_DIR ?? new URL("target", root).pathname;
const load = join(target, "release", "examples", "load");
const program = join(target, "release", "tandem-directory");

const measure = (database) => {
  const result = spawnSync(load, [program, database, ...numbers], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (result.status !== 0) process.exit(1);
  return JSON.parse(result.stdout);
};

/** A PostgreSQL server in a folder of its own; it refuses to run as root. */
const withPostgres = async (use) => {
  const folders = existsSync("/usr/lib/postgresql") ? readdirSync("/usr/lib/postgresql").sort() : [];
  if (folders.length === 0) {
    console.log("SKIPPED: there is no PostgreSQL on this computer (Debian: apt-get install postgresql)");
    return undefined;
  }
  const programs = join("/usr/lib/postgresql", folders.at(-1), "bin");
  const folder = mkdtempSync(join(tmpdir(), "tandem-load-postgres"));
  const line = readFileSync("/etc/passwd", "utf8").split("\n").find((entry) => entry.startsWith("postgres:"));
  const [uid, gid] = (line?.split(":") ?? []).slice(2, 4).map(Number);
  const as = process.getuid() === 0 ? { uid, gid } : {};
  if (as.uid) chownSync(folder, uid, gid);
  const data = join(folder, "data");
  const options = { ...as, cwd: folder, stdio: "ignore", env: { ...process.env, LC_ALL: "C" } };
  spawnSync(join(programs, "initdb"), ["-U", "tandem", "-A", "trust", "-E", "UTF8", "-D", data], options);
  const server = spawn(join(programs, "postgres"), ["-D", data, "-k", folder, "-h", ""], options);
  try {
    const host = ["-h", folder, "-U", "tandem"];
    while (spawnSync(join(programs, "pg_isready"), ["-h", folder, "-q"], options).status !== 0) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    spawnSync(join(programs, "createdb"), [...host, "load"], options);
    return use(`postgres://tandem@${encodeURIComponent(folder)}/load`);
  } finally {
    server.kill("SIGINT");
    await new Promise((resolve) => server.once("exit", resolve));
    rmSync(folder, { recursive: true, force: true });
  }
};

const results = { SQLite: measure("sqlite"), PostgreSQL: (await withPostgres(measure)) ?? [] };
console.log("| storage | instances | records | look-ups/s | p50 | p99 | memory idle | memory at most | start |");
console.log("|---|---|---|---|---|---|---|---|---|");
for (const [storage, rows] of Object.entries(results)) {
  for (const it of rows) {
    if (it.misses > 0) throw new Error(`${it.misses} records weren't found`);
    const cells = [
      storage,
      it.instances,
      it.records,
      Math.round(it.lookupsPerSec),
      `${it.p50Millis.toFixed(2)} ms`,
      `${it.p99Millis.toFixed(2)} ms`,
      `${it.idleMib.toFixed(0)} MiB`,
      `${it.peakMib.toFixed(0)} MiB`,
      `${it.startSecs.toFixed(1)} s`,
    ];
    console.log(`| ${cells.join(" | ")} |`);
  }
}
