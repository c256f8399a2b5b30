// Files and links that come from outside: at the start, to a window that runs already, dropped onto it.

import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
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
