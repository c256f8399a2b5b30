// From the first page to the last: how many clicks that takes, where the focus is, and what a page keeps to itself.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openGallery, show } from "./lib.mjs";

const look = { language: "en", theme: "light", contrast: "usual" };
const PASSWORD = "zebra-anchor-mild-otter-lamp";
let gallery;
let page;
before(async () => {
  gallery = await openGallery();
  page = gallery.page;
});
after(() => gallery?.close());

/** A walk that counts what a hand does. */
const walk = async (scene) => {
  await show(page, scene, look, 960);
  let clicks = 0;
  const settle = () => page.evaluate(() => window.gallery.settle());
  const say = (key) => page.evaluate((key) => window.gallery.t(key), key);
  return {
    clicks: () => clicks,
    click: async (key) => {
      await page.getByRole("button", { name: await say(key) }).first().click();
      clicks += 1;
      await settle();
    },
    choose: async (key) => {
      await page.getByRole("radio", { name: await say(key) }).check();
      clicks += 1;
      await settle();
    },
    next: async () => {
      await page.locator("main [data-next]").click();
      clicks += 1;
      await settle();
    },
    type: async (css, text) => {
      await page.locator(css).fill(text);
      await settle();
    },
    says: (text) => page.getByText(text).first().waitFor({ timeout: 5_000 }),
  };
};
const keepsToItself = async () =>
  assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(PASSWORD), "the password is in the page");

test("a server with defaults takes six clicks, and no later page holds its password", async () => {
  const person = await walk("first/outlook");
  for (let step = 0; step < 5; step += 1) await person.next();
  await person.says("step 5 of 5");
  await keepsToItself();
  await person.next();
  assert.equal(await page.locator("h1").textContent(), "Overview");
  assert.ok(person.clicks() <= 6, `${person.clicks()} clicks`);
  await keepsToItself();
});

test("a client takes the server that was found in four clicks", async () => {
  const person = await walk("first/server-found");
  await person.click("first-connect");
  await person.type("input[autocomplete], input[type=password]", PASSWORD);
  for (let step = 0; step < 3; step += 1) await person.next();
  assert.ok(person.clicks() <= 4, `${person.clicks()} clicks`);
  assert.ok(await page.evaluate(() => window.host.calls.some(({ name }) => name === "start_first")), "it began");
  await keepsToItself();
});

test("a client goes by a server ID, typed as people type it, in seven clicks", async () => {
  const person = await walk("first/fresh");
  await person.choose("first-client");
  await person.next();
  await person.click("client-by-internet");
  await person.type("input.mono, input[placeholder^='XXXX']", "k7qf 2m9d xh4r 8twa");
  await person.click("find");
  await person.type("input[autocomplete], input[type=password]", PASSWORD);
  for (let step = 0; step < 3; step += 1) await person.next();
  assert.ok(person.clicks() <= 7, `${person.clicks()} clicks`);
  await keepsToItself();
});

test("ten thousand activities open with few of them drawn, and more come as they are asked for", async () => {
  const person = await walk("activity/ten-thousand");
  const drawn = () => page.locator("main li").count();
  // Fifty runs, the newest of which is open, with fifty of its changes.
  assert.equal(await drawn(), 100);
  await page.getByRole("button", { name: await page.evaluate(() => window.gallery.t("show-more")) }).first().click();
  await page.waitForFunction(() => document.querySelectorAll("main li").length === 150);
  // Behind what came at once is asked for by its last one.
  const askedFor = () => page.evaluate(() => window.host.calls.filter(({ name }) => name === "history").map(({ request }) => request));
  for (let press = 0; press < 4; press += 1) {
    await page.getByRole("button", { name: await page.evaluate(() => window.gallery.t("show-more")) }).last().click();
    await page.evaluate(() => window.gallery.settle());
  }
  assert.deepEqual((await askedFor()).at(-1), { run: null, before: 9_801 });
  await person.type("input[type=search]", "1999");
  await person.says("Message 1999");
});

test("each page of a wizard says which step it is, and is read from its heading on", async () => {
  const person = await walk("first/outlook");
  for (let step = 1; step <= 5; step += 1) {
    await person.next();
    const heading = await page.locator("h1").textContent();
    assert.match(heading, new RegExp(`\\(step ${step} of 5\\)$`));
    assert.equal(await page.title(), `${heading} – Tandem`);
    assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  }
});

test("Tab goes over each page from top to bottom, is seen, and is never under the buttons at the bottom", async () => {
  const complaints = [];
  for (const scene of ["first/fresh", "server-folders/chosen", "client-folders/offered", "samples/usual", "settings/internet", "folders/server"]) {
    await show(page, scene, look, 960);
    const seen = new Set();
    let hasEnded = false;
    for (let stop = 0; stop < 80; stop += 1) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const one = document.activeElement;
        if (one === document.body) return null;
        one.dataset.stop ??= String(Math.random());
        const box = one.getBoundingClientRect();
        const footer = document.querySelector(".page > footer");
        const own = getComputedStyle(one);
        const shown = (one.matches("input[type=radio], input[type=checkbox]") ? (one.closest("label") ?? one) : one).getBoundingClientRect();
        const under = footer && !footer.contains(one) && shown.top + shown.height / 2 > footer.getBoundingClientRect().top;
        const isSeen = parseFloat(own.outlineWidth) >= 2 || Boolean(one.closest(":has(:focus-visible)") && one.matches(":focus-visible"));
        return { stop: one.dataset.stop, name: (one.getAttribute("aria-label") ?? one.textContent ?? "").trim().slice(0, 40), under, isSeen, width: box.width };
      });
      // Behind the last stop comes the browser itself, and then the first one: the focus begins at the heading.
      if (!at && !hasEnded) {
        hasEnded = true;
        continue;
      }
      if (!at || seen.has(at.stop)) break;
      seen.add(at.stop);
      if (at.under) complaints.push(`${scene}: «${at.name}» is under the buttons`);
      if (!at.isSeen) complaints.push(`${scene}: nobody sees that «${at.name}» has the focus`);
    }
    if (seen.size < 3) complaints.push(`${scene}: only ${seen.size} stops`);
  }
  assert.deepEqual(complaints, []);
});
