// `npm run package`: the packages of this system, in target/release/bundle.
//
// Linux: .deb and .rpm. Windows: .msi and an NSIS installer. macOS: .dmg. What is in them is said in src-tauri/tauri.conf.json
// and the file of the system beside it; the terminal program, its manual pages and completions are made first.

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { buildTandem, buildWindow } from "./lib/build.mjs";
import { cratesOf, packagesOf, thirdParty } from "./lib/licences.mjs";
import { buildPage, installPackages } from "./lib/page.mjs";
import { provide, toBuild, toBuildWindow, toPackage } from "./lib/prerequisites.mjs";
import { outputOf, root, run } from "./lib/run.mjs";

// The bundler takes the programs from the project's own folder.
const target = fileURLToPath(new URL("target", root));
process.env.CARGO_TARGET_DIR = target;

if (!(await provide([...toBuild, ...toBuildWindow, ...toPackage]))) process.exit(1);
if (!(await installPackages()) || !(await buildPage())) process.exit(1);
const [tandem, window] = [await buildTandem(), await buildWindow()];
if (!tandem || !window) process.exit(1);
// What tells lines of the source in a crash is ten times as large as the programs. On Windows it is in files of its own.
if (process.platform !== "win32" && (await run("strip", ["-S", tandem, window])) !== 0) process.exit(1);

// What the configuration picks up.
const staged = (path) => `${target}/package/${path}`;
rmSync(staged(""), { recursive: true, force: true });
for (const folder of ["man", "completions"]) mkdirSync(staged(folder), { recursive: true });
const told = (...args) => {
  const text = outputOf(tandem, args);
  if (text === undefined) throw new Error(`tandem ${args.join(" ")} failed`);
  return text;
};
told("man", "--out", staged("man"));
for (const page of readdirSync(staged("man"))) {
  writeFileSync(staged(`man/${page}.gz`), gzipSync(readFileSync(staged(`man/${page}`)), { level: 9 }));
  rmSync(staged(`man/${page}`));
}
for (const [shell, file] of [["bash", "tandem"], ["zsh", "_tandem"], ["fish", "tandem.fish"]]) {
  writeFileSync(staged(`completions/${file}`), told("completions", shell));
}

const [, host] = /^host: (.*)$/m.exec(outputOf("rustc", ["-vV"]) ?? "") ?? [];
const metadata = outputOf("cargo", ["metadata", "--format-version", "1", "--locked", "--filter-platform", host]);
if (metadata === undefined) throw new Error("cargo doesn't say what the programs are made of");
const { dependencies } = JSON.parse(readFileSync(new URL("package.json", root), "utf8"));
const inPage = packagesOf([...Object.keys(dependencies), "svelte"], fileURLToPath(new URL("node_modules", root)));
writeFileSync(staged("third-party.txt"), thirdParty([...cratesOf(JSON.parse(metadata), ["tandem-desktop", "cli"]), ...inPage]));

const bundles = { linux: "deb,rpm", win32: "msi,nsis", darwin: "dmg" }[process.platform];
// A build looks for what the configuration lists, and the terminal program is only there now.
const terms = { "../target/package/third-party.txt": "third-party.txt" };
const beside = {
  win32: { "../target/release/tandem.exe": "tandem.exe", ...terms },
  darwin: terms,
}[process.platform];
const more = beside ? ["--config", JSON.stringify({ bundle: { resources: beside } })] : [];
const bundler = fileURLToPath(new URL("node_modules/@tauri-apps/cli/tauri.js", root));
process.exit(await run(process.execPath, [bundler, "bundle", "--bundles", bundles, "--ci", ...more]));
