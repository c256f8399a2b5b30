// What has to be on this computer before anything can be built or tested.
//
// A missing package is installed where that asks nobody's leave (root, and either CI or no terminal), offered on a
// root terminal, and otherwise named together with the command that installs it.

import { createInterface } from "node:readline/promises";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { has, outputOf, root, run } from "./run.mjs";

/** The oldest compiler that can build this, as Cargo.toml says. */
const oldestRust = () => /^rust-version = "([\d.]+)"/m.exec(readFileSync(new URL("Cargo.toml", root), "utf8"))[1];

const isWindows = process.platform === "win32";
const isLinux = process.platform === "linux";

/** `"1.95"` against `"cargo 1.95.0 (…)"`. */
export const isAtLeast = (wanted, printed) => {
  const numbers = (text) => (/\d+(\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number);
  const [want, have] = [numbers(wanted), numbers(printed)];
  for (let place = 0; place < Math.max(want.length, have.length); place += 1) {
    const difference = (have[place] ?? 0) - (want[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
};

const rust = {
  name: `Rust ${oldestRust()} or newer`,
  isThere: () => isAtLeast(oldestRust(), outputOf("cargo", ["--version"]) ?? "0"),
  help: "install it with rustup (https://rustup.rs), or bring it up to date with: rustup update stable",
};

const compiler = {
  name: "a C compiler (SQLite, zstd and the cryptography are built from source)",
  // On Windows the Rust compiler finds the build tools by itself, outside of PATH.
  isThere: () => isWindows || has("cc") || has("clang") || has("gcc"),
  packages: { apt: ["gcc", "libc6-dev"], dnf: ["gcc"], pacman: ["gcc"], zypper: ["gcc"] },
  help: "macOS: xcode-select --install",
};

export const toBuild = [rust, compiler];

const isFound = (library) => outputOf("pkg-config", ["--exists", library]) !== undefined;
const isLoadable = (library) => outputOf("ldconfig", ["-p"])?.includes(library) ?? outputOf("/sbin/ldconfig", ["-p"])?.includes(library);

/** The window is drawn by the system's own web view. */
export const toBuildWindow = [
  {
    name: "pkg-config",
    isThere: () => !isLinux || has("pkg-config"),
    packages: { apt: ["pkg-config"], dnf: ["pkgconf-pkg-config"], pacman: ["pkgconf"], zypper: ["pkg-config"] },
  },
  {
    name: "WebKitGTK 4.1 (the window)",
    isThere: () => !isLinux || isFound("webkit2gtk-4.1"),
    packages: {
      apt: ["libwebkit2gtk-4.1-dev"],
      dnf: ["webkit2gtk4.1-devel"],
      pacman: ["webkit2gtk-4.1"],
      zypper: ["webkit2gtk3-devel"],
    },
  },
  {
    name: "Ayatana AppIndicator (the tray icon)",
    isThere: () => !isLinux || isLoadable("libayatana-appindicator3.so.1"),
    packages: {
      apt: ["libayatana-appindicator3-1"],
      dnf: ["libayatana-appindicator-gtk3"],
      pacman: ["libayatana-appindicator"],
      zypper: ["libayatana-appindicator3-1"],
    },
    isOptional: true,
  },
  {
    name: "a font",
    isThere: () => !isLinux || Boolean(outputOf("fc-list", [])?.trim()),
    packages: { apt: ["fontconfig", "fonts-dejavu-core"], dnf: ["dejavu-sans-fonts"], pacman: ["ttf-dejavu"], zypper: ["dejavu-fonts"] },
    isOptional: true,
  },
];

/** What the bundler looks for, beside what building needs. */
export const toPackage = [
  {
    name: "the headers of Ayatana AppIndicator (for the packages)",
    isThere: () => !isLinux || isFound("ayatana-appindicator3-0.1"),
    packages: { apt: ["libayatana-appindicator3-dev"], dnf: ["libayatana-appindicator-gtk3-devel"] },
  },
];

/** What looks at packages. */
export const toTestPackage = [
  {
    name: "programs that check packages, desktop entries and file types",
    isThere: () => ["rpm", "desktop-file-validate", "appstreamcli", "gio"].every((program) => isProgram(program)),
    packages: { apt: ["rpm", "desktop-file-utils", "appstream", "libglib2.0-bin", "shared-mime-info"] },
  },
];

/** A browser that a robot looks at the page with. */
export const toTestPage = [
  {
    name: "Chromium (for the tests of the page)",
    isThere: () => !isLinux || Boolean(process.env.CHROMIUM) || isProgram("chromium"),
    packages: { apt: ["chromium"] },
    isOptional: true,
  },
];

/** A screen without a screen, and programs that belong to a desktop. */
export const toTestWindow = [
  {
    name: "a screen and a desktop for the tests of the window",
    isThere: () =>
      !isLinux ||
      (["Xvfb", "xdotool", "openbox", "import", "WebKitWebDriver"].every((program) => isProgram(program)) &&
        outputOf("/usr/bin/python3", ["-c", "import gi; gi.require_version('Gtk', '3.0')"]) !== undefined),
    packages: {
      apt: ["xvfb", "xauth", "xdotool", "openbox", "imagemagick", "webkit2gtk-driver", "dbus", "python3-gi", "gir1.2-gtk-3.0"],
    },
    isOptional: true,
  },
];

/** Whether there is such a program, also among the administrator's; asking it for its version would start some. */
const isProgram = (name) => outputOf("sh", ["-c", `PATH="$PATH:/usr/sbin:/sbin" command -v ${name}`]) !== undefined;

/** The tests talk to a real key ring on a message bus of their own. Other systems have theirs already. */
export const toTest = [
  {
    name: "a message bus for the key ring tests",
    isThere: () => !isLinux || has("dbus-run-session"),
    packages: { apt: ["dbus"], dnf: ["dbus-daemon"], pacman: ["dbus"], zypper: ["dbus-1"] },
    isOptional: true,
  },
  {
    name: "a key ring for the key ring tests",
    isThere: () => !isLinux || has("gnome-keyring-daemon"),
    packages: {
      apt: ["gnome-keyring"],
      dnf: ["gnome-keyring"],
      pacman: ["gnome-keyring"],
      zypper: ["gnome-keyring"],
    },
    isOptional: true,
  },
  {
    name: "PostgreSQL for the tests of the directory",
    isThere: () => !isLinux || has("postgres") || existsSync("/usr/lib/postgresql"),
    packages: {
      apt: ["postgresql"],
      dnf: ["postgresql-server"],
      pacman: ["postgresql"],
      zypper: ["postgresql-server"],
    },
    isOptional: true,
  },
  {
    name: "readpst for the tests of Outlook's data files",
    isThere: () => !isLinux || has("readpst", "-V"),
    packages: { apt: ["pst-utils"], dnf: ["libpst"], pacman: ["libpst"] },
    isOptional: true,
  },
  {
    name: "Dovecot, notmuch and khal for the tests of folders that others work on",
    isThere: () => !isLinux || ["doveadm", "notmuch", "khal"].every((program) => isProgram(program)),
    packages: { apt: ["dovecot-imapd", "notmuch", "khal"] },
    isOptional: true,
  },
  {
    name: "Evolution Data Server for the tests of its connector",
    isThere: () => !isLinux || existsSync("/usr/share/dbus-1/services/org.gnome.evolution.dataserver.Sources5.service"),
    packages: {
      apt: ["evolution-data-server", "dbus"],
      dnf: ["evolution-data-server", "dbus-daemon"],
      pacman: ["evolution-data-server", "dbus"],
      zypper: ["evolution-data-server", "dbus-1"],
    },
    isOptional: true,
  },
  {
    name: "routers and firewalls for the tests of the network",
    isThere: () => !isLinux || ["ip", "sysctl", "nft", "conntrack", "miniupnpd"].every((program) => isProgram(program)),
    packages: {
      apt: ["iproute2", "procps", "nftables", "conntrack", "miniupnpd"],
      dnf: ["iproute", "procps-ng", "nftables", "conntrack-tools", "miniupnpd"],
    },
    isOptional: true,
  },
  {
    name: "firewalld and ufw for the tests of the server's own firewall",
    // Where services start as soon as they are installed, this computer would have another firewall from then on.
    isThere: () =>
      !isLinux || existsSync("/run/systemd/system") || ["firewalld", "ufw", "dbus-daemon"].every((program) => isProgram(program)),
    packages: { apt: ["firewalld", "ufw", "dbus"] },
    isOptional: true,
  },
  {
    name: "Avahi for the tests of the local network",
    isThere: () => !isLinux || ["avahi-daemon", "avahi-browse", "avahi-publish"].every((program) => isProgram(program)),
    packages: { apt: ["avahi-daemon", "avahi-utils"], dnf: ["avahi", "avahi-tools"], pacman: ["avahi"], zypper: ["avahi", "avahi-utils"] },
    isOptional: true,
  },
  {
    name: "coturn for the tests of the relay",
    isThere: () => !isLinux || isProgram("turnserver"),
    packages: { apt: ["coturn"], dnf: ["coturn"], pacman: ["coturn"], zypper: ["coturn"] },
    isOptional: true,
  },
  {
    name: "Python environments for the tests of Outlook's data files",
    isThere: () => !isLinux || outputOf("python3", ["-c", "import ensurepip, venv"]) !== undefined,
    packages: { apt: ["python3-venv"], pacman: ["python"] },
    isOptional: true,
  },
];

/** Programs that read Outlook's files independently of us; tests ask them (`crates/stores/tests/oracles.rs`). */
const oracles = ["libpff-python==20260926", "extract-msg==0.57.0"];

/** Puts them into `target/oracles`. Without them those tests say so and go on. */
export const provideOracles = async () => {
  const folder = fileURLToPath(new URL("target/oracles", root));
  const python = `${folder}/${isWindows ? "Scripts/python.exe" : "bin/python"}`;
  const areThere = () => outputOf(python, ["-c", "import pypff, extract_msg"]) !== undefined;
  if (areThere()) return;
  const quietly = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...oracles];
  const made = outputOf(isWindows ? "python" : "python3", ["-m", "venv", folder]) !== undefined && outputOf(python, quietly);
  if (made === undefined || !areThere()) console.log("  Going on without libpff and extract-msg, which check Outlook's files.");
};

const installers = [
  { program: "apt-get", key: "apt", install: ["install", "--yes", "--no-install-recommends"] },
  { program: "dnf", key: "dnf", install: ["install", "--assumeyes"] },
  { program: "pacman", key: "pacman", install: ["--sync", "--needed", "--noconfirm"] },
  { program: "zypper", key: "zypper", install: ["--non-interactive", "install"] },
];

/** What to run to get the missing packages, or `undefined` where this script knows no way. */
export const installation = (missing, installer) => {
  const packages = missing.flatMap((need) => need.packages?.[installer.key] ?? []);
  return packages.length === 0 ? undefined : [installer.program, ...installer.install, ...packages];
};

const mayInstall = async (command) => {
  if (process.getuid?.() !== 0) return false;
  if (process.env.CI === "true" || !process.stdin.isTTY) return true;
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(`Run "${command.join(" ")}" now? [Y/n] `);
  terminal.close();
  return !/^n/i.test(answer.trim());
};

/** Installs or names what is missing. Resolves to whether everything that has to be there is there. */
export const provide = async (needs) => {
  const missing = needs.filter((need) => !need.isThere());
  if (missing.length === 0) return true;

  console.log("Missing on this computer:");
  for (const need of missing) console.log(`  - ${need.name}${need.help ? ` – ${need.help}` : ""}`);

  const installer = isLinux ? installers.find(({ program }) => has(program)) : undefined;
  const command = installer && installation(missing, installer);
  if (command && (await mayInstall(command))) {
    console.log(`  Installing them: ${command.join(" ")}`);
    // A new machine has no list of packages yet. What happens to each of four hundred packages is no news to anybody;
    // what goes wrong is written to another place.
    const isApt = installer.key === "apt";
    const quietly = { env: { DEBIAN_FRONTEND: "noninteractive" }, input: "ignore", ...isApt ? { output: "ignore" } : {} };
    const more = isApt ? ["--quiet=2"] : [];
    if (isApt) await run("apt-get", ["update", ...more], quietly);
    await run(command[0], [...command.slice(1), ...more], quietly);
  } else if (command) {
    console.log(`  To install: sudo ${command.join(" ")}`);
  }

  const stillMissing = missing.filter((need) => !need.isThere());
  for (const need of stillMissing.filter(({ isOptional }) => isOptional)) console.log(`  Going on without ${need.name}.`);
  return stillMissing.every(({ isOptional }) => isOptional);
};

/** Settings for building. */
export const buildEnvironment = () =>
  // The cryptography's assembler files come with ready-made objects, so that Windows needs no NASM.
  isWindows && !has("nasm", "-v") ? { AWS_LC_SYS_PREBUILT_NASM: "1" } : {};
