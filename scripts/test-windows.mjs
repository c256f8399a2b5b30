// `npm run test:windows`: the program and its tests as Windows programs, cross-built here and run under Wine.
//
// Debian's own compiler does it, because it ships the sources of the standard library: what that needs beyond itself
// is mingw's linker. Where these aren't and can't be installed, the script says so and ends well. What follows `--`
// goes to the tests: npm run test:windows -- conformance. `--step TEXT` takes only steps with this in their name; what they
// need must have been built: npm run test:windows -- --step "Outlook on Windows"

import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { outputOf, root, run } from "./lib/run.mjs";

const TARGET = "x86_64-pc-windows-gnu";
const PACKAGES = ["rustc-web", "rust-web-src", "cargo-web", "gcc-mingw-w64-x86-64-posix", "g++-mingw-w64-x86-64-posix",
  "wine", "wine64"];
const TOOLS = { cargo: "/usr/bin/cargo", rustc: "/usr/bin/rustc", wine: "/usr/lib/wine/wine64" };
const LINKER = "/usr/bin/x86_64-w64-mingw32-gcc";
const isThere = () => [...Object.values(TOOLS), LINKER].every((tool) => existsSync(tool));

const folder = fileURLToPath(root);
const target = join(process.env.CARGO_TARGET_DIR ?? join(folder, "target"), "windows");
const prefix = join(target, "wine");
const env = {
  ...process.env,
  // Apart from the other system's: one would wait for the other, and throw away what it built.
  CARGO_TARGET_DIR: target,
  RUSTC: TOOLS.rustc,
  // The standard library is built along, which only unreleased compilers do unasked.
  RUSTC_BOOTSTRAP: "1",
  CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER: TOOLS.wine,
  WINEPREFIX: prefix,
  WINEDEBUG: "-all",
  // Nobody looks at these with a debugger.
  CARGO_PROFILE_DEV_DEBUG: "0",
  TANDEM_SECRETS: "file",
};
const wine = { WINEPREFIX: prefix, WINEDEBUG: "-all", TANDEM_WINDOWS: join(target, TARGET, "debug") };
// Wine hands over interface IDs that aren't aligned, which the processor doesn't mind and a check of debug builds does.
const STD = "-Zbuild-std=std,panic_unwind";
// Those that know nothing of the network; the others are told by the stories below.
const TESTED = ["identity", "pim", "stores", "sync"];
// Always the same crates, so that each is built once.
const build = [STD, "--target", TARGET, "--config", "profile.dev.package.stores.debug-assertions=false",
  ...["cli", ...TESTED].flatMap((crate) => ["-p", crate])];
// What is shipped is built by a compiler that isn't here: no C, nothing linked, but every line is checked.
const CHECKED = ["--target", "x86_64-pc-windows-msvc", "-p", "identity", "-p", "stores", "--features", "blake3/pure"];

const given = process.argv.slice(2);
const only = given[0] === "--step" ? given.splice(0, 2)[1] : "";

// As `npm test` builds it, so that nothing is built twice. The window needs a library that Windows' tests don't.
const hasWindow = outputOf("pkg-config", ["--exists", "webkit2gtk-4.1"]) !== undefined;
const all = ["--workspace", ...(hasWindow ? [] : ["--exclude", "tandem-desktop"])];

const step = async (name, work) => {
  if (!name.includes(only)) return;
  const begun = Date.now();
  console.log(`\n== ${name}`);
  const failed = await work();
  console.log(`== ${name}: ${failed ? "FAILED" : "done"} after ${Math.round((Date.now() - begun) / 1000)} s`);
  if (failed) process.exit(1);
};

const provide = () => {
  if (isThere()) return true;
  const canInstall = process.platform === "linux" && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get");
  if (!canInstall) return false;
  const options = { stdio: "inherit", env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  spawnSync("apt-get", ["update", "-qq"], options);
  spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...PACKAGES], options);
  return isThere();
};

/** A Windows of our own. Older Wines lack the library Rust takes its random numbers from. */
const makePrefix = () => {
  mkdirSync(target, { recursive: true });
  const made = spawnSync(TOOLS.wine, ["wineboot", "-i"], { env, stdio: "ignore" });
  const library = join(prefix, "drive_c/windows/system32/bcryptprimitives.dll");
  if (made.status !== 0 || existsSync(library)) return made.status;
  const source = join(target, "bcryptprimitives.c");
  writeFileSync(source, `#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE p, SIZE_T n) { return RtlGenRandom(p, (ULONG)n); }
`);
  return spawnSync(LINKER, ["-shared", "-o", library, source, "-ladvapi32"], { stdio: "inherit" }).status;
};

const windows = { program: TOOLS.wine, first: [join(target, TARGET, "debug/tandem.exe")] };
const linux = { program: join(process.env.CARGO_TARGET_DIR ?? join(folder, "target"), "debug/tandem"), first: [] };

/** A computer with a profile, a data folder and one contact. */
class Computer {
  constructor(name, system, place) {
    Object.assign(this, { name, system, place: join(place, name) });
    mkdirSync(join(this.place, "data/contacts/card"), { recursive: true });
    writeFileSync(join(this.place, "password"), "zebra-anchor-mild-otter-lamp\n");
    const card = `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${name}\r\nFN:${name}\r\nN:${name};;;;\r\nEND:VCARD\r\n`;
    writeFileSync(join(this.place, "data/contacts/card", `${name}.vcf`), card);
  }

  // Nobody answers there, so nothing is asked of the world.
  arguments(given) {
    return [...this.system.first, "--config-dir", "profile", "--no-input", "--lang", "en",
      "--dht-bootstrap", "127.0.0.1:47000", ...given];
  }

  tandem(...given) {
    const ran = spawnSync(this.system.program, this.arguments(given), { cwd: this.place, env, encoding: "utf8" });
    if (ran.status === 0) return ran.stdout;
    throw new Error(`${this.name}: tandem ${given.join(" ")} ends with ${ran.status}\n${ran.stdout}${ran.stderr}`);
  }

  holds(name) {
    const contact = join(this.place, "data/contacts/card", `${name}.vcf`);
    return existsSync(contact) && readFileSync(contact, "utf8").includes(`FN:${name}`);
  }
}

/** Two computers become one: set up, joined, the same, and the same again after an edit. */
const story = async (serverSystem, clientSystem) => {
  const place = mkdtempSync(join(tmpdir(), "tandem-windows-"));
  let serving;
  try {
    const [office, laptop] = [new Computer("office", serverSystem, place), new Computer("laptop", clientSystem, place)];
    office.tandem("init", "--server", "--store", "files:data", "--password-file", "password", "--name", "Office");
    serving = spawn(serverSystem.program, office.arguments(["serve", "--json"]), {
      cwd: office.place, env, stdio: ["ignore", "pipe", "ignore"],
    });
    await new Promise((resolve, reject) => serving.stdout.once("data", resolve).once("end", reject));
    const { addresses } = JSON.parse(office.tandem("--json", "status"));
    const loopback = addresses.find((address) => address.startsWith("127."));
    office.tandem("invite", "--out", "office.tandem", "--hint", loopback);
    laptop.tandem("join", join("..", "office", "office.tandem"), "--store", "files:data", "--password-file", "password",
      "--name", "Laptop", "--yes");
    laptop.tandem("sync");
    for (const computer of [office, laptop]) {
      for (const name of ["office", "laptop"]) {
        if (!computer.holds(name)) throw new Error(`${computer.name} lacks the contact of ${name}`);
      }
    }
    const contact = join(laptop.place, "data/contacts/card/office.vcf");
    writeFileSync(contact, readFileSync(contact, "utf8").replace("FN:office", "FN:office\r\nTEL:+49 30 1234"));
    laptop.tandem("sync");
    const there = readFileSync(join(office.place, "data/contacts/card/office.vcf"), "utf8");
    if (!there.includes("+49 30 1234")) throw new Error("the edit didn't arrive");
    return 0;
  } catch (error) {
    console.error(error?.message ?? error);
    return 1;
  } finally {
    serving?.kill();
    rmSync(place, { recursive: true, force: true, maxRetries: 10 });
  }
};

if (!provide()) {
  console.log(`Windows tests left out: they need Debian's ${PACKAGES.join(", ")} (apt-get, as root).`);
  process.exit(0);
}
const cargo = (args, more = {}) => run(TOOLS.cargo, args, { env, ...more });
await step("Program and stand-in for Outlook, for Windows", () =>
  cargo(["build", "--locked", ...build, "--bins", "--example", "outlook-double"]));
await step("A Windows to run it in", makePrefix);
await step("Two computers with Windows", () => story(windows, windows));
await step("Program for this system", () => run("cargo", ["build", "--locked", ...all, "--bin", "tandem"], { env: process.env }));
await step("A laptop with Windows, a server with Linux", () => story(linux, windows));
const suites = TESTED.map((crate) => join(folder, "crates", crate, "tests")).filter((tests) => existsSync(tests));
const tests = suites.flatMap((tests) => readdirSync(tests)).filter((file) => file.endsWith(".rs"));
const names = tests.map((file) => file.replace(".rs", "")).filter((name) => name !== "outlook_com");
const chosen = ["--lib", ...names.flatMap((name) => ["--test", name])];
// Vectors that grow by millions of small steps take Wine's heap minutes; nothing in it is particular to Windows. And
// Wine 8 doesn't tell what happens in folders below the one that is watched (seen with ReadDirectoryChangesW alone).
const skipped = ["hostile_files_cost_no_more_than_their_size", "a_persons_change_wakes_the_watch",
  "the_watch_tells_folders_even_new_ones"];
await step("Tests under Wine", () =>
  cargo(["test", "--locked", "--no-fail-fast", ...build, ...chosen, "--", ...skipped.flatMap((name) => ["--skip", name]), ...given]));
await step("Outlook over COM", () => cargo(["test", "--locked", ...build, "--test", "outlook_com", "--", ...given]));
await step("Outlook on Windows, Evolution on Linux", () =>
  run("cargo", ["test", "--locked", ...all, "--test", "scenarios", "--",
    "windows::", "--ignored", "--test-threads", "1"], { env: wine }));
await step("Check for the Windows of Microsoft's compiler", () => cargo(["check", "--locked", STD, ...CHECKED]));
