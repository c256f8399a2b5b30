// `npm run bench:window`: how long the window takes to be there, and how much memory it needs with its web view.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { median, megabytes } from "../../scripts/lib/bench/table.mjs";
import { clearDesk, computer, contact, serve, start } from "./desk.mjs";
import { until } from "./driver.mjs";

const STARTS = 10;
const IDLE_MS = 10_000;

before(() => {
  start("openbox", []);
});
after(clearDesk);

/** All processes below this one. */
const below = (pid) => {
  const children = spawnSync("pgrep", ["-P", String(pid)], { encoding: "utf8" }).stdout.split("\n").filter(Boolean);
  return children.flatMap((child) => [child, ...below(child)]);
};
/** What is shared counts once (PSS of proc(5)), bytes. */
const memoryOf = (pid) => 1024 * Number(/^Pss: +(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "utf8"))[1]);

/** Seconds until there is a heading, and bytes once it has been quiet. */
const look = async (at) => {
  const window = await at.open();
  try {
    await window.waitFor("h1");
    const seconds = (performance.now() - window.launchedAt) / 1000;
    await pause(IDLE_MS);
    const parts = below(window.driver).map((pid) => [readFileSync(`/proc/${pid}/comm`, "utf8").trim(), memoryOf(pid)]);
    return { seconds, parts, bytes: parts.reduce((sum, [, bytes]) => sum + bytes, 0) };
  } finally {
    await window.close();
    await until("the program has ended", () => at.processes().length === 0);
  }
};

for (const [name, prepare] of [
  ["first start", async (at) => at],
  [
    "a server with data",
    async (at) => {
      for (let number = 0; number < 1_000; number += 1) at.write(`contacts/Friends/${number}.vcf`, contact(`c${number}`, `Friend ${number}`));
      const server = await serve(at, "Office PC");
      server.close();
      return at;
    },
  ],
]) {
  test(name, async () => {
    const at = await prepare(computer("figures"));
    const looks = [];
    for (let time = 0; time < STARTS; time += 1) looks.push(await look(at));
    const [seconds, bytes] = [looks.map((one) => one.seconds), looks.map((one) => one.bytes)];
    const parts = looks[0].parts.map(([part, size]) => `${part} ${megabytes(size)}`).join(", ");
    console.log(`${name}: usable after ${median(seconds).toFixed(2)} s (worst ${Math.max(...seconds).toFixed(2)}), ` +
      `idle ${megabytes(median(bytes))} MB (${parts})`);
  });
}
