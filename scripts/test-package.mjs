// `npm run test:package`: builds the packages, installs the .deb, starts and drives what it installed, and removes it.
// Works as root on Debian or Ubuntu; elsewhere it says so.

import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { provide, toTestPackage, toTestWindow } from "./lib/prerequisites.mjs";
import { has, outputOf, root, run } from "./lib/run.mjs";

if (process.getuid?.() !== 0 || !has("dpkg")) {
  console.log("The package is tested as root on Debian or Ubuntu, because it is installed and removed.");
  process.exit(process.env.CI === "true" ? 1 : 0);
}
const PARTS = [
  "usr/bin/tandem-desktop",
  "usr/bin/tandem",
  "usr/share/applications/Tandem.desktop",
  "usr/share/mime/packages/org.tandemsync.Tandem.xml",
  "usr/share/metainfo/org.tandemsync.Tandem.metainfo.xml",
  "usr/share/icons/hicolor/scalable/apps/tandem-desktop.svg",
  "usr/share/doc/tandem/third-party.txt",
  "usr/share/man/man1/tandem.1.gz",
  "usr/share/bash-completion/completions/tandem",
  "usr/share/fish/vendor_completions.d/tandem.fish",
  "usr/lib/systemd/user/tandem.service",
];
const check = (holds, what) => {
  if (!holds) throw new Error(`not so: ${what}`);
  console.log(`  ${what}`);
};
const says = (program, ...args) => outputOf(program, args) !== undefined;
const packageIn = (kind) => {
  const folder = fileURLToPath(new URL(`target/release/bundle/${kind}`, root));
  return join(folder, readdirSync(folder).find((name) => name.endsWith(`.${kind}`)));
};

if (!(await provide([...toTestWindow, ...toTestPackage]))) process.exit(1);
rmSync(new URL("target/release/bundle", root), { recursive: true, force: true });
if ((await run(process.execPath, ["scripts/package.mjs"])) !== 0) process.exit(1);

const [deb, rpm] = [packageIn("deb"), packageIn("rpm")];
const inDeb = outputOf("dpkg-deb", ["--contents", deb]);
const inRpm = outputOf("rpm", ["-qpl", rpm]);
for (const part of PARTS) check(inDeb.includes(` ${part}\n`) && inRpm.includes(`/${part}\n`), `both packages hold ${part}`);
check(inDeb.includes(" usr/share/zsh/vendor-completions/_tandem\n"), "the .deb holds completions for zsh");
check(inRpm.includes("/usr/share/zsh/site-functions/_tandem\n"), "the .rpm holds completions for zsh");

const home = mkdtempSync(join(tmpdir(), "tandem-package-"));
const name = outputOf("dpkg-deb", ["--field", deb, "Package"]).trim();
let removal;
try {
  const installed = await run("apt-get", ["install", "--yes", "--quiet=2", "--no-install-recommends", deb], {
    env: { DEBIAN_FRONTEND: "noninteractive" },
  });
  check(installed === 0, "the package is installed with what it needs");
  const entry = "/usr/share/applications/Tandem.desktop";
  check(/^Exec=tandem-desktop %U$/m.test(readFileSync(entry, "utf8")), "files and links are handed over to the program");
  check(says("desktop-file-validate", entry), "the desktop entry is valid");
  const appstream = "/usr/share/metainfo/org.tandemsync.Tandem.metainfo.xml";
  check(says("appstreamcli", "validate", "--no-net", appstream), "the description for software centres is valid");
  check(outputOf("gio", ["mime", "x-scheme-handler/tandem"])?.includes("Tandem.desktop"), "tandem: links are for Tandem");
  if (has("systemd-analyze")) {
    const unit = ["systemd-analyze", "--user", "verify", "/usr/lib/systemd/user/tandem.service"];
    check(says("env", `XDG_RUNTIME_DIR=${home}`, ...unit), "the user service is valid");
  } else console.log("  SKIPPED: systemd-analyze isn't there to look at the user service");
  check(outputOf("/usr/bin/tandem", ["--version"])?.startsWith("tandem "), "the terminal program runs");
  const profile = ["--store", `files:${home}/data`, "--password-file", "-", "--secrets", "file"];
  const input = "orbit-lantern-velvet-quarry-mango\n";
  const own = { HOME: home, PATH: process.env.PATH, LANG: "en_US.UTF-8" };
  const made = spawnSync("/usr/bin/tandem", ["init", "--server", "--name", "Office PC", ...profile], { env: own, input });
  check(made.status === 0 && existsSync(join(home, ".config/tandem")), "it sets a server up");
  const env = { TANDEM_DESKTOP: "/usr/bin/tandem-desktop", TANDEM: "/usr/bin/tandem" };
  const driven = ["scripts/test-window.mjs", "tests/window/installed.mjs", "tests/window/opening.test.mjs"];
  check((await run(process.execPath, driven, { env })) === 0, "the installed program opens its window, files and links");
} finally {
  removal = spawnSync("dpkg", ["--purge", name], { encoding: "utf8" });
  console.log(removal.stdout);
}
check(removal.stdout.includes("stay where they are"), "the removal says what stays, and where");
check(existsSync(join(home, ".config/tandem")) && existsSync(join(home, "data/mail")), "settings and data stay");
check(PARTS.every((part) => !existsSync(`/${part}`)), "nothing of the program is left");
rmSync(home, { recursive: true });
console.log("The packages are as they should be.");
