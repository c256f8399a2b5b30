// Only with an installed package (`npm run test:package`): the desktop finds the program by itself.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { clearDesk, computer, deskWithOffice, picture } from "./desk.mjs";
import { openWindow, until } from "./driver.mjs";

let office;

before(async () => {
  office = await deskWithOffice();
});

after(clearDesk);

test("a double click on an invitation and a link reach the program that was installed", async () => {
  const { env, home } = computer("laptop");
  const window = await openWindow(process.env.TANDEM_DESKTOP, [], env);
  const knows = () => until("the server is on the list", async () => (await window.call("servers"))[0]);
  // What a file manager and a mail program do.
  const open = (what) => execFileSync("gio", ["open", what], { env: { ...process.env, ...env } });
  try {
    await window.waitFor("h1");
    const file = join(home, "Büro PC (1).tandem");
    copyFileSync(office.invitation, file);
    const info = execFileSync("gio", ["info", "--attributes=standard::content-type", file], { encoding: "utf8" });
    assert.match(info, /application\/vnd\.tandem\.invitation\+json/);
    open(file);
    const server = await knows();
    assert.equal(server.name, "Office PC");
    picture("opened-from-the-desktop");
    await window.call("forget_server", { server: server.id });
    open(office.link);
    assert.equal((await knows()).name, "Office PC");
  } finally {
    await window.close();
  }
});
