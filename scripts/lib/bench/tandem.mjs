// Tandem as its users run it: `tandem serve` on one profile, `tandem join`, `sync` and `run` on another.

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, watch, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { addMessages } from "./changes.mjs";
import { cpuOf, measure, memoryOf } from "./measure.mjs";

const PASSWORD = "zebra-anchor-mild-otter-lamp";
/** No change may take longer than this to cross. */
const CROSSING_MAX_MS = 30_000;

/**
 * Sets up a server on `a/`. Its first synchronization is the first copy, from the moment the server starts: it has seen
 * nothing of the data before. `isUpload`: the data lies at the client instead.
 */
export const beginTandem = async (tandem, place, { isUpload = false } = {}) => {
  const [full, empty] = [join(place, "a"), join(place, "b")];
  const [serverData, clientData] = isUpload ? [empty, full] : [full, empty];
  const profile = (name) => ["--config-dir", join(place, name), "--json"];
  const env = { TANDEM_SECRETS: "file", TANDEM_LOG: "app=debug", HOME: place, LC_ALL: "C" };
  const password = join(place, "password");
  mkdirSync(empty, { recursive: true });
  writeFileSync(password, `${PASSWORD}\n`);
  const said = (...args) => {
    const { status, stdout, stderr } = spawnSync(tandem, args, { encoding: "utf8", env: { ...process.env, ...env } });
    if (status !== 0) throw new Error(`tandem ${args.join(" ")} ended with ${status}:\n${stderr}`);
    return stdout;
  };
  said("init", "--server", "--name", "Office PC", "--listen", "127.0.0.1:0", "--store", `files:${serverData}`,
    "--password-file", password, ...profile("server"));

  let server;
  const start = async () => {
    server = await stay(tandem, ["serve", ...profile("server")], env);
    const [address] = server.first.addresses;
    const invitation = join(place, "office.tandem");
    if (!existsSync(invitation)) said("invite", "--out", invitation, "--hint", address, ...profile("server"));
    return ["join", invitation, "--store", `files:${clientData}`, "--password-file", password, "--yes", "--name", "Laptop"];
  };
  let isFirst = true;
  const sync = async () => {
    if (!isFirst) {
      const measured = await measure(tandem, ["sync", "--verbose", ...profile("client")], { env, beside: [server.pid] });
      return { ...measured, wire: wireOf(measured.stderr) };
    }
    isFirst = false;
    spawnSync("sync");
    const started = performance.now();
    const command = await start();
    const before = cpuOf(server.pid);
    const measured = await measure(tandem, [...command, ...profile("client")], { env, beside: [server.pid] });
    const seconds = (performance.now() - started) / 1000;
    const serverPeak = memoryOf(server.pid).peak;
    return { ...measured, seconds, cpu: measured.cpu + before, peak: measured.peak, serverPeak };
  };
  /** How long files take that appear on one side until they are seen on the other, in milliseconds, in turn. */
  const live = async (count) => {
    const client = await stay(tandem, ["run", ...profile("client")], env);
    const latencies = [];
    try {
      await crossing(serverData, clientData);
      for (let turn = 0; turn < count; turn += 1) {
        const [from, to] = turn % 2 === 0 ? [serverData, clientData] : [clientData, serverData];
        latencies.push(await crossing(from, to));
        // Not in step with anything that ticks inside.
        await new Promise((resolve) => setTimeout(resolve, 50 + ((turn * 37) % 100)));
      }
      return { latencies, idle: await idleUse([server.pid, client.pid]) };
    } finally {
      await client.end();
    }
  };
  return { sync, live, end: () => server?.end() };
};

const crossing = (from, to) =>
  new Promise((resolve, reject) => {
    let name;
    let started;
    const watchers = ["cur", "new"].map((part) =>
      watch(join(to, "mail", part), (_, file) => {
        if (name && file?.startsWith(name)) finish(() => resolve(performance.now() - started));
      }),
    );
    const limit = setTimeout(() => finish(() => reject(new Error("a change didn't cross"))), CROSSING_MAX_MS);
    const finish = (tell) => {
      clearTimeout(limit);
      watchers.forEach((watcher) => watcher.close());
      tell();
    };
    started = performance.now();
    [name] = addMessages(join(from, "mail"), 1);
  });

/** What processes that have nothing to do take: bytes of memory each, and CPU per second all together. */
const idleUse = async (pids) => {
  const seconds = 3;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const cpu = () => pids.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const before = cpu();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  return { cpuShare: (cpu() - before) / seconds, memory: pids.map((pid) => memoryOf(pid).now) };
};

/** Bytes of frames and of UDP in both directions, as the log tells them at the end of a link. */
const wireOf = (log) => {
  const line = log.split("\n").find((line) => line.includes("the link ended")) ?? "";
  const number = (name) => Number(new RegExp(`${name}=(\\d+)`).exec(line)?.[1] ?? NaN);
  return { stream: number("stream_bytes"), udp: number("udp_bytes") };
};

/** A command that stays; `first` is what it says when it is ready. */
const stay = async (tandem, args, env) => {
  const child = spawn(tandem, args, { stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, ...env } });
  const gone = new Promise((resolve) => child.on("close", resolve));
  const lines = createInterface({ input: child.stdout });
  const first = await new Promise((resolve, reject) => {
    lines.once("line", (line) => resolve(JSON.parse(line)));
    gone.then((code) => reject(new Error(`tandem ${args[0]} ended with ${code}`)));
  });
  const end = async () => {
    child.kill("SIGINT");
    await gone;
  };
  return { first, pid: child.pid, end };
};
