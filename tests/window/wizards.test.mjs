// Two computers, two windows, from the first start to equal folders: by mouse, and by keyboard alone.

import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { PASSWORD, chooseInDialog, clearDesk, computer, contact, picture, serve, start, whoKnowsPassword, xdotool } from "./desk.mjs";
import { until } from "./driver.mjs";

before(() => {
  start("openbox", []);
});
after(clearDesk);

const NEXT = "main [data-next]";

/** Goes on to the next page, whatever is on this one, and waits until it is there. */
const goOn = async (window, press = () => window.press(NEXT)) => {
  const heading = await window.heading();
  await press(window);
  await until(`the page after "${heading}"`, async () => (await window.heading()) !== heading).catch((error) => {
    picture("stuck");
    throw error;
  });
};

/** Tab after Tab until what is called so has the focus, as somebody without a mouse does. */
const tabTo = async (window, wanted) => {
  for (let stops = 0; stops < 60; stops += 1) {
    if ((await window.focused()).startsWith(wanted)) return;
    await window.keys(TAB);
  }
  throw new Error(`Tab never came to "${wanted}"`);
};
const [TAB, ENTER, SPACE] = ["\uE004", "\uE007", " "];

/** "Next" without a mouse, once it can be pressed: Alt and the right arrow, by the real keyboard of the screen. */
const altRight = async (window) => {
  await window.waitFor(`${NEXT}:not(:disabled, [aria-disabled=true], [aria-busy=true])`);
  xdotool("key", "alt+Right");
};

const names = (folder) => {
  try {
    return readdirSync(folder).filter((name) => name.endsWith(".vcf")).sort();
  } catch {
    return [];
  }
};
const same = (one, other, folder) => {
  const files = names(join(one.data, folder));
  if (files.length === 0 || files.join() !== names(join(other.data, folder)).join()) return false;
  return files.every((name) => readFileSync(join(one.data, folder, name)).equals(readFileSync(join(other.data, folder, name))));
};

const withContacts = (name) => {
  const home = computer(name);
  home.write("contacts/Friends/a.vcf", contact("a", "Anna"));
  home.write("contacts/Friends/b.vcf", contact("b", "Bert"));
  return home;
};

const ways = [["mouse", "en"], ["keyboard", "de"]];
const localeOf = (language) => ({ LANG: `${language}_${language === "de" ? "DE" : "US"}.UTF-8` });
/** What is pressed to have the dialog for a folder, and what that is called. */
const choosing = { en: ["Choose folder", "^Choose a folder$"], de: ["Ordner wählen", "^Ordner wählen$"] };

for (const [way, language] of ways) {
  test(`a server is made by ${way} (${language}), with the folder chosen in the real dialog`, async () => {
    const office = withContacts(`server-${way}`);
    const window = await office.open([], localeOf(language));
    const next = () => goOn(window, way === "keyboard" ? altRight : undefined);
    const [choose, title] = choosing[language];
    try {
      await window.waitFor("h1");
      picture(`first-start-${language}`);
      await next();
      if (way === "mouse") await window.click(choose);
      else {
        await tabTo(window, choose);
        await window.keys(SPACE);
      }
      await chooseInDialog(title, office.data);
      await until("the folder is on the page", async () => (await window.text()).includes("data"));
      for (const page of ["data", "folders", "internet"]) {
        picture(`server-${page}-${language}`);
        await next();
      }
      picture(`server-password-${language}`);
      // By keyboard the one that is suggested is taken.
      if (way === "mouse") {
        await window.type("input[autocomplete]", PASSWORD);
        // Finding nothing means something only where the search finds what is there.
        const notes = ["utf8", "utf16le"].map((encoding) => join(office.home, `note-${encoding}`));
        for (const note of notes) writeFileSync(note, `before ${PASSWORD} after`, note.split("-").pop());
        assert.deepEqual((await whoKnowsPassword(window, office)).sort(), ["page", ...notes].sort());
        for (const note of notes) rmSync(note);
      }
      await next();
      picture(`server-share-${language}`);
      await next();
      picture(`server-overview-${language}`);
      const state = await window.call("host_state");
      assert.deepEqual(state.stage, { at: "running", role: "server", isAttached: false });
      const folders = await window.call("folders");
      assert.ok(folders.some(({ path, items }) => path === "contacts/Friends" && items === 2), JSON.stringify(folders));
      if (way === "mouse") assert.deepEqual(await whoKnowsPassword(window, office), []);
    } finally {
      await window.close();
    }
  });
}

for (const [way, language] of ways) {
  test(`a client joins by ${way} (${language}) and ends with equal folders`, async () => {
    const office = withContacts(`office-${way}`);
    const laptop = computer(`laptop-${way}`);
    mkdirSync(laptop.data, { recursive: true });
    const server = await serve(office, "Office PC");
    const window = await laptop.open([server.invitation], localeOf(language));
    const [choose, title] = choosing[language];
    try {
      const password = "input[type=password], input[autocomplete]";
      await window.waitFor(password);
      picture(`client-password-${language}`);
      if (way === "mouse") {
        await window.type(password, PASSWORD);
        await goOn(window);
      } else {
        await tabTo(window, "Kennwort");
        await window.keys(...PASSWORD);
        await goOn(window, () => window.keys(ENTER));
      }
      picture(`client-folders-${language}`);
      await until("the server's folders are listed", async () => (await window.text()).includes("Friends"));
      if (way === "mouse") await window.click(choose);
      else {
        await tabTo(window, choose);
        await window.keys(SPACE);
      }
      await chooseInDialog(title, laptop.data);
      const taken = language === "de" ? "data (neu)" : "data (new)";
      const chosen = "return [...document.querySelectorAll('select')].some((e) => e.selectedOptions[0]?.text === arguments[0])";
      await until("the folder is taken", () => window.run(chosen, taken));
      await goOn(window, way === "keyboard" ? altRight : undefined);
      picture(`client-preview-${language}`);
      assert.deepEqual(names(join(laptop.data, "contacts/Friends")), [], "the preview writes nothing");
      await goOn(window, way === "keyboard" ? altRight : undefined);
      await until("both folders are equal", () => same(office, laptop, "contacts/Friends"));
      picture(`client-done-${language}`);
      writeFileSync(join(laptop.data, "contacts/Friends/c.vcf"), contact("c", "Clara"));
      await until("a new contact is on the server", () => same(office, laptop, "contacts/Friends") && names(join(office.data, "contacts/Friends")).length === 3);
      assert.deepEqual(await whoKnowsPassword(window, laptop), []);
    } finally {
      await window.close();
      server.close();
    }
  });
}
