import { svelte } from "@sveltejs/vite-plugin-svelte";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { help } from "./build/help.ts";

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

// `--mode gallery` builds the page with every screen in every state, for the robot; the window never contains it.
export default defineConfig(({ mode }) => ({
  root: here("."),
  plugins: [svelte({ configFile: here("svelte.config.js") }), help(here("../docs"))],
  clearScreen: false,
  server: { host: "127.0.0.1", port: 1420, strictPort: true, fs: { allow: [here("..")] } },
  build: {
    outDir: here("dist"),
    emptyOutDir: true,
    // The oldest web views Tandem meets: macOS 13, and WebKitGTK 2.50 on Debian 12.
    target: ["es2022", "safari16"],
    cssTarget: ["safari16"],
    // The window's content security policy allows no data URLs for scripts, and styles only from files.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: mode === "gallery" ? here("gallery.html") : here("index.html") },
  },
  resolve: process.env.VITEST ? { conditions: ["browser"] } : {},
  test: { include: ["src/**/*.test.ts"], environment: "node" },
}));
