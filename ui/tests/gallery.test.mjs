// Every screen in every state, looked at by a robot.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openGallery, show } from "./lib.mjs";

let gallery;
before(async () => {
  gallery = await openGallery();
});
after(() => gallery?.close());

// Each language, theme and width meets each other one within four scenes, and every scene meets two looks.
const looks = [
  [{ language: "en", theme: "light", contrast: "usual" }, 960],
  [{ language: "de", theme: "dark", contrast: "usual" }, 480],
  [{ language: "en-XA", theme: "light", contrast: "more" }, 320],
  [{ language: "de", theme: "light", contrast: "usual" }, 320],
  [{ language: "en-XA", theme: "dark", contrast: "more" }, 960],
  [{ language: "en", theme: "dark", contrast: "usual" }, 480],
];
const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

test("every screen in every state opens, fits, and passes axe", { timeout: 600_000 }, async () => {
  const complaints = [];
  for (const [index, id] of gallery.scenes.entries()) {
    for (const [look, width] of [looks[index % looks.length], looks[(index + 3) % looks.length]]) {
      const where = `${id} ${look.language} ${look.theme} ${width}`;
      await show(gallery.page, id, look, width);
      // As long as the page is: what lies under the buttons at the bottom of the window comes out by scrolling.
      const height = await gallery.page.evaluate(() => document.documentElement.scrollHeight);
      await gallery.page.setViewportSize({ width, height });
      const found = await gallery.page.evaluate(async ([runOnly, isProse]) => {
        const wide = [...document.querySelectorAll("body *")]
          .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth > 1 && getComputedStyle(one).display !== "inline")
          .filter((one) => !one.matches("svg, svg *, select, input, textarea, .hidden"))
          .map((one) => `too wide: ${one.tagName}.${one.className}`);
        const { violations } = await window.axe.run(document, { runOnly });
        const texts = [...document.querySelectorAll("body *")].flatMap((one) => [...one.childNodes].filter((node) => node.nodeType === 3));
        const said = texts.map((node) => node.textContent.trim()).filter((text) => /[{}]|^[a-z]+(-[a-z0-9]+)+$/.test(text));
        const raw = said.map((text) => `a word that wasn't found: ${text}`);
        const headings = document.querySelectorAll("h1").length === 1 ? [] : ["not one h1"];
        return [...wide, ...headings, ...(isProse ? raw : []), ...violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target).join(" ")}`)];
      }, [tags, !/^(log|help|check\/report|settings\/password-looked-up)/.test(id)]);
      complaints.push(...found.map((one) => `${where}: ${one}`));
    }
  }
  assert.deepEqual(complaints, []);
  assert.deepEqual(gallery.thrown, []);
  assert.deepEqual(gallery.elsewhere, []);
});

test("every message is drawn in English and in German, with its code, what happened, what to do and one button", async () => {
  const drawn = [];
  for (const language of ["en", "de"]) {
    await show(gallery.page, "messages/all", { language, theme: "light", contrast: "usual" }, 960);
    const messages = await gallery.page.evaluate(() =>
      [...document.querySelectorAll("[data-code]")].map((one) => ({
        code: one.dataset.code,
        headline: one.querySelector(".headline").textContent.trim(),
        texts: [...one.querySelectorAll(".words p")].map((text) => text.textContent.trim()),
        buttons: one.querySelectorAll("button").length,
      })),
    );
    assert.ok(messages.length > 100, `${messages.length} messages`);
    for (const { code, headline, texts, buttons } of messages) {
      assert.equal(texts.length, 3, code);
      assert.ok(texts.every((text) => text && !/[{}]|undefined/.test(text)), `${code}: ${texts.join(" | ")}`);
      assert.ok(texts[2].includes(code), `${code} isn't shown: ${texts[2]}`);
      assert.equal(buttons, 1, code);
      assert.ok(headline.length < 90, `${code}: ${headline}`);
    }
    drawn.push(new Map(messages.map(({ code, headline }) => [code, headline])));
  }
  const [english, german] = drawn;
  assert.deepEqual([...german.keys()], [...english.keys()]);
  const same = [...english].filter(([code, headline]) => german.get(code) === headline).map(([code]) => code);
  assert.deepEqual(same, [], "the same in both languages");
});
