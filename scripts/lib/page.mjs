// The page of the window: its npm packages and its build.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { root, run } from "./run.mjs";

const folder = fileURLToPath(root);
const npm = process.platform === "win32" ? "npm.cmd" : "npm";
const changedAt = (file) => (existsSync(join(folder, file)) ? statSync(join(folder, file)).mtimeMs : 0);

/** When anything in these places changed last. */
const newest = (places) =>
  Math.max(
    ...places.flatMap((place) => {
      const path = join(folder, place);
      if (!existsSync(path)) return [0];
      if (!statSync(path).isDirectory()) return [changedAt(place)];
      return readdirSync(path, { recursive: true }).map((name) => changedAt(join(place, name)));
    }),
  );

/** Brings the npm packages to what the lock file says, if they aren't. Resolves to whether they are. */
export const installPackages = async () => {
  if (changedAt("node_modules/.package-lock.json") >= changedAt("package-lock.json")) return true;
  return (await run(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"])) === 0;
};

/** Builds the page, if it isn't built of what is there. Resolves to whether it is. */
export const buildPage = async () => {
  const made = changedAt("ui/dist/assets") && changedAt("ui/dist/index.html");
  const sources = ["ui/src", "ui/build", "ui/locales", "ui/index.html", "ui/vite.config.ts", "crates/app/locales", "docs", "package-lock.json"];
  if (made > newest(sources)) return true;
  const vite = fileURLToPath(new URL("node_modules/vite/bin/vite.js", root));
  return (await run(process.execPath, [vite, "build", "--config", "ui/vite.config.ts", "--logLevel", "warn"])) === 0;
};
