// The gallery, built as the window is, in a browser without the rest of the program.

import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { build, preview } from "vite";

export const configFile = fileURLToPath(new URL("../vite.config.ts", import.meta.url));
const axe = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");
const flags = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Builds and opens the gallery. Close it when done. */
export async function openGallery() {
  const folder = await mkdtemp(join(tmpdir(), "tandem-gallery-"));
  await build({ configFile, mode: "gallery", logLevel: "error", build: { outDir: folder, minify: false } });
  const server = await preview({
    configFile,
    mode: "gallery",
    logLevel: "error",
    build: { outDir: folder },
    preview: { host: "127.0.0.1", port: 0, strictPort: false },
  });
  const address = server.resolvedUrls.local[0];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: flags });
  const page = await browser.newPage({ reducedMotion: "reduce", viewport: { width: 960, height: 680 } });
  // What a page says must be on the page: anything it wants from elsewhere is a fault.
  const elsewhere = [];
  const thrown = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(address)) elsewhere.push(request.url());
  });
  page.on("pageerror", (error) => thrown.push(String(error)));
  await page.goto(`${address}gallery.html`);
  await page.waitForFunction(() => window.gallery);
  await page.evaluate(axe);
  return {
    page,
    address,
    elsewhere,
    thrown,
    scenes: await page.evaluate(() => window.gallery.scenes),
    async close() {
      await browser.close();
      await server.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Opens a scene from the beginning, in a look and at a width. */
export async function show(page, id, look, width) {
  await page.setViewportSize({ width, height: 680 });
  await page.evaluate(([id, look]) => window.gallery.show(id, look), [id, look]);
}
