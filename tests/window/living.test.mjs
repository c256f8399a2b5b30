// What goes on around the wizards: the samples, the tray, a server that runs already, the end.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { clearDesk, computer, contact, picture, serve, start, trayHost } from "./desk.mjs";
import { until } from "./driver.mjs";

before(() => {
  start("openbox", []);
});
after(clearDesk);

test("the samples show an addition, a conflict and a held deletion between two real computers", async () => {
  const window = await computer("samples").open();
  try {
    const samples = () => window.call("samples");
    await window.click("Try with sample data");
    await window.sees("Both hold the same.");
    picture("samples");
    const titles = (computer) => computer.folders.flatMap((folder) => folder.items.map((item) => item.title));
    await window.press("section[aria-label='Office PC'] button");
    await until("the addition is on both", async () => {
      const { server, client, isSame } = await samples();
      return isSame && [server, client].every((computer) => titles(computer).some((title) => title.startsWith("New on office")));
    });
    await window.click("Change the same appointment on both");
    await window.click("Compare both versions");
    picture("samples-conflict");
    await window.click("Keep the server's");
    await until("the conflict is decided", async () => (await samples()).server.status.conflicts === 0);
    const orders = (computer) => computer.folders.find((folder) => folder.path === "mail/Orders").items.length;
    const whole = orders((await samples()).server);
    await window.click("Delete half a folder");
    await window.click("Keep them");
    await until("the deletions were taken back", async () => {
      const { server, client } = await samples();
      return server.status.held === 0 && orders(server) === whole && orders(client) === whole;
    });
    picture("samples-decided");
    await window.click("Publish the office PC");
    await window.click("Look up the ID from the laptop");
    await window.sees("Found: «Office PC»");
    await window.click("Revoke the publication");
    await window.click("Look up the ID from the laptop");
    await window.sees("I02");
    picture("samples-revoked");
    await window.click("Use it with my own data");
    await until("the samples are gone", async () => (await window.call("host_state")).stage.at === "firstStart");
  } finally {
    await window.close();
  }
});

test("a window attaches to a server that runs already, and leaves it running", async () => {
  const office = computer("office");
  office.write("contacts/Friends/a.vcf", contact("a", "Anna"));
  await serve(office, "Office PC");
  for (const _ of ["first", "second"]) {
    const window = await office.open();
    try {
      await until("it is attached", async () => {
        const { stage } = await window.call("host_state");
        return stage.at === "running" && stage.isAttached && stage.role === "server";
      });
      await window.sees("Everything is the same on your computers.");
      picture("attached");
    } finally {
      await window.close();
    }
  }
});

test("the tray tells how things stand, pauses, goes on and ends the program", async () => {
  const tray = await trayHost();
  const office = computer("tray");
  office.write("contacts/Friends/a.vcf", contact("a", "Anna"));
  const server = await serve(office, "Office PC");
  server.close();
  const window = await office.open();
  try {
    const menu = (label) => until(`"${label}" is in the menu`, async () => (await tray.menu())?.includes(label));
    const word = async () => (await window.call("status")).word;
    await menu("For 30 minutes");
    await tray.click("For 30 minutes");
    await until("it is paused", async () => (await word()) === "paused");
    await menu("Continue");
    await tray.click("Continue");
    await until("it goes on", async () => (await word()) !== "paused");
    await menu("Quit Tandem");
    await tray.click("Quit Tandem");
    await until("the program has ended", () => office.processes().length === 0);
  } finally {
    await window.close();
  }
});
