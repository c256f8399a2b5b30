// What the system asks of every page: no motion, the system's own colours; and what the page may weigh.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { configFile, openGallery, show } from "./lib.mjs";

const look = { language: "en", theme: "light", contrast: "usual" };
let gallery;
let page;
before(async () => {
  gallery = await openGallery();
  page = gallery.page;
});
after(() => gallery?.close());

test("where less motion is wanted nothing moves, in any scene", { timeout: 300_000 }, async () => {
  const complaints = [];
  await page.emulateMedia({ reducedMotion: "reduce" });
  for (const id of gallery.scenes) {
    await show(page, id, look, 960);
    const moving = await page.evaluate(() => {
      const lasting = (text) => text.split(",").some((one) => parseFloat(one) * (one.trim().endsWith("ms") ? 1 : 1000) > 1);
      const running = document.getAnimations().filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 1);
      const could = [...document.querySelectorAll("body *")].filter((one) => {
        const { animationName, animationDuration, transitionDuration } = getComputedStyle(one);
        return (animationName !== "none" && lasting(animationDuration)) || lasting(transitionDuration);
      });
      return [...running.map((one) => one.effect.target), ...could].map((one) => `${one.tagName}.${one.getAttribute("class")}`);
    });
    if (moving.length > 0) complaints.push(`${id}: ${[...new Set(moving)].join(" ")}`);
  }
  assert.deepEqual(complaints, []);
});

test("with the system's own colours every control has an edge and the focus is seen", { timeout: 300_000 }, async () => {
  const complaints = [];
  await page.emulateMedia({ forcedColors: "active", reducedMotion: "reduce" });
  for (const id of gallery.scenes.filter((id) => !id.startsWith("help/"))) {
    await show(page, id, look, 960);
    const found = await page.evaluate(() => {
      const behind = (one) => {
        for (let at = one; at; at = at.parentElement) {
          const { backgroundColor } = getComputedStyle(at);
          if (backgroundColor !== "rgba(0, 0, 0, 0)") return backgroundColor;
        }
        return "";
      };
      const hasEdge = (one) => {
        const own = getComputedStyle(one);
        if (own.appearance !== "none") return true;
        const sides = ["Top", "Right", "Bottom", "Left"].map((side) => [own[`border${side}Width`], own[`border${side}Style`], own[`border${side}Color`]]);
        return sides.some(([width, style, colour]) => parseFloat(width) > 0 && style !== "none" && colour !== behind(one.parentElement));
      };
      const seen = [...document.querySelectorAll("button, input, select, textarea")].filter((one) => one.checkVisibility() && !one.closest(".hidden"));
      const label = (one) => `${one.tagName}.${one.getAttribute("class")} ${(one.getAttribute("aria-label") ?? one.textContent).trim().slice(0, 30)}`;
      return seen.filter((one) => !one.matches("[type=radio], [type=checkbox], .hidden") && !hasEdge(one)).map(label);
    });
    complaints.push(...found.map((one) => `${id}: no edge: ${one}`));
    await page.keyboard.press("Tab");
    const focus = await page.evaluate(() => {
      const one = document.activeElement;
      if (one === document.body) return null;
      const { outlineStyle, outlineWidth } = getComputedStyle(one);
      const isSeen = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
      const around = one.closest(":has(:focus-visible)");
      const isAround = around && [one.parentElement, one.closest("label")].some((near) => near && getComputedStyle(near).outlineStyle !== "none");
      return isSeen || isAround ? null : `${one.tagName}.${one.getAttribute("class")}`;
    });
    if (focus) complaints.push(`${id}: nobody sees the focus on ${focus}`);
  }
  await page.emulateMedia({ forcedColors: "none" });
  assert.deepEqual([...new Set(complaints)], []);
});

test("the window's own script weighs no more than 150 kB when packed, and asks for nothing from elsewhere", async () => {
  const folder = mkdtempSync(join(tmpdir(), "tandem-page-"));
  try {
    await build({ configFile, logLevel: "error", build: { outDir: folder } });
    const files = readdirSync(folder, { recursive: true }).map(String);
    const scripts = files.filter((file) => file.endsWith(".js"));
    assert.ok(scripts.length > 0, "there is a script");
    const bytes = scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(folder, file))).length, 0);
    console.log(`${scripts.length} scripts, ${Math.ceil(bytes / 1000)} kB packed`);
    assert.ok(bytes <= 150_000, `${bytes} bytes`);
    const page = readFileSync(join(folder, "index.html"), "utf8");
    assert.ok(!/(?:src|href)="(?:https?:)?\/\//.test(page), page);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
