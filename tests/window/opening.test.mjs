// Files and links that come from outside: at the start, to a window that runs already, dropped onto it.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { clearDesk, computer, deskWithOffice, drag, dragSource, findWindow, picture, xdotool } from "./desk.mjs";
import { until } from "./driver.mjs";

let office;

before(async () => {
  office = await deskWithOffice();
});

after(clearDesk);

/** Waits until the window holds the server that was opened. */
const knows = (window, name) => until(`${name} is on the list`, async () => (await window.call("servers")).some((server) => server.name === name));

test("a file given at the start is waiting when the page is there", async () => {
  const laptop = computer("laptop");
  const window = await laptop.open([office.invitation]);
  try {
    await window.waitFor("h1");
    await knows(window, "Office PC");
    picture("cold-start-by-file");
  } finally {
    await window.close();
  }
});

test("a second start hands a file and a link over to the first and ends", async () => {
  const laptop = computer("laptop");
  const window = await laptop.open();
  try {
    await window.waitFor("h1");
    assert.deepEqual(await window.call("servers"), []);
    const copy = join(laptop.home, "Büro PC (1).tandem");
    writeFileSync(copy, readFileSync(office.invitation));
    assert.equal(await laptop.again([copy]), 0);
    await knows(window, "Office PC");
    const [server] = await window.call("servers");
    await window.call("forget_server", { server: server.id });
    assert.equal(await laptop.again([office.link]), 0);
    await knows(window, "Office PC");
  } finally {
    await window.close();
  }
});

test("a start in the second in which the window ends gives a window, with the file it was started with", async () => {
  const laptop = computer("laptop");
  for (const wait of [0, 50, 300]) {
    const window = await laptop.open();
    await window.waitFor("h1");
    const first = laptop.processes();
    assert.equal(first.length, 1);
    // From here on the program ends; the page may be gone before it hears the answer.
    await window.call("close_window", { quits: true, isRemembered: false }).catch(() => {});
    await pause(wait);
    // It hands over and ends, or is the new first one and stays: both are fine.
    void laptop.again([office.invitation]);
    const [next] = await until(`another window after ${wait} ms`, () => {
      const now = laptop.processes();
      return now.length === 1 && now[0] !== first[0] && now;
    });
    await findWindow("^Tandem$");
    await until("the file was taken", () => readFileSync(join(laptop.profile, "servers.json"), "utf8").includes("Office PC"));
    process.kill(next, "SIGTERM");
    await until("it ended", () => laptop.processes().length === 0);
    rmSync(join(laptop.profile, "servers.json"));
    await window.close();
  }
});

test("an invitation is dropped onto the window with the mouse", async () => {
  const laptop = computer("laptop");
  const window = await laptop.open();
  try {
    await window.waitFor("h1");
    const own = await findWindow("^Tandem$");
    xdotool("windowmove", own, 0, 0, "sleep", 0.5);
    const source = await dragSource(office.invitation);
    xdotool("windowmove", source, 1_050, 60, "sleep", 0.5);
    drag([1_100, 110], [400, 400]);
    await knows(window, "Office PC");
    picture("dropped");
  } finally {
    await window.close();
  }
});

test("two profiles have a window each", async () => {
  const [one, other] = [computer("one"), computer("other")];
  const first = await one.open();
  const second = await other.open();
  try {
    for (const window of [first, second]) assert.equal((await window.call("host_state")).stage.at, "firstStart");
    assert.ok(existsSync(one.profile) && existsSync(other.profile));
  } finally {
    await first.close();
    await second.close();
  }
});
