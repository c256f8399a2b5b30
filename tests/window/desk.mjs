// A desk to put windows on: programs that belong to a desktop, homes of their own, pictures of the screen.

import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { openWindow, until } from "./driver.mjs";

const { TANDEM_DESKTOP: program, TANDEM: terminal } = process.env;
if (!program || !terminal) throw new Error("TANDEM_DESKTOP and TANDEM say which programs to test");
const pictures = process.env.TANDEM_PICTURES;

export const xdotool = (...args) => execFileSync("xdotool", args.map(String), { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();

/** The X window with this title. */
export const findWindow = (title) =>
  until(`a window called ${title}`, () => xdotool("search", "--onlyvisible", "--name", title).split("\n")[0]);

/** A picture of the whole screen, where somebody asked for pictures. */
export const picture = (name) => {
  if (!pictures) return;
  mkdirSync(pictures, { recursive: true });
  spawnSync("import", ["-window", "root", join(pictures, `${name}.png`)]);
};

const started = [];
/** A program of the desktop, until the desk is cleared. */
export const start = (name, args, options = {}) => {
  const child = spawn(name, args, { stdio: ["ignore", "pipe", "inherit"], ...options });
  started.push(child);
  return child;
};

const places = [];
/** A computer: a home folder, a profile, a data folder, and its window. */
export const computer = (name) => {
  const home = mkdtempSync(join(tmpdir(), `tandem-window-${name}-`));
  places.push(home);
  const [profile, data] = [join(home, "profile"), join(home, "data")];
  const env = { HOME: home, XDG_CONFIG_HOME: join(home, ".config"), XDG_DATA_HOME: join(home, ".local/share"), LANG: "en_US.UTF-8" };
  const options = ["--config-dir", profile, "--secrets", "file", "--listen", "127.0.0.1:0"];
  const write = (path, text) => {
    const file = join(data, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  };
  return {
    name, home, profile, data, write, options, env,
    /** The programs that have a window with this profile. */
    processes: () => spawnSync("pgrep", ["-f", `tandem-desktop .*${profile}`], { encoding: "utf8" }).stdout.split("\n").filter(Boolean).map(Number),
    open: (args = [], more = {}) => openWindow(program, [...options, ...args], { ...env, ...more }),
    /** A second start of the program, as by a double click on a file. Resolves when that process ends. */
    again: (args = []) =>
      new Promise((resolve) => {
        const child = spawn(program, [...options, ...args], { stdio: "ignore", env: { ...process.env, ...env } });
        child.on("exit", resolve);
      }),
  };
};

export const contact = (uid, name) => `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nFN:${name}\r\nN:${name};;;;\r\nEND:VCARD\r\n`;

/** Something to drag files from, as a file manager would: a window that is nothing else. */
export const dragSource = async (...files) => {
  const script = fileURLToPath(new URL("drag-source.py", import.meta.url));
  const source = start("/usr/bin/python3", [script, ...files]);
  const failed = once(source, "exit").then(() => Promise.reject(new Error("the window to drag from can't be opened")));
  await Promise.race([once(source.stdout, "data"), failed]);
  return findWindow("^drag-source$");
};

/** A part of the desktop that shows tray icons; what it is asked is in `tray-host.py`. */
export const trayHost = async () => {
  const script = fileURLToPath(new URL("tray-host.py", import.meta.url));
  const host = start("/usr/bin/python3", [script], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: host.stdout })[Symbol.asyncIterator]();
  const answer = async () => JSON.parse((await answers.next()).value);
  await answer();
  const ask = (request) => {
    host.stdin.write(`${JSON.stringify(request)}\n`);
    return answer();
  };
  return { menu: () => ask({ ask: "menu" }), click: (label) => ask({ ask: "click", label }) };
};

/** Drags with the mouse, in steps, as drag and drop wants it. */
export const drag = (from, to) => {
  const steps = [1, 2, 3, 4, 5].flatMap((step) => {
    const at = (axis) => Math.round(from[axis] + ((to[axis] - from[axis]) * step) / 5);
    return ["mousemove", at(0), at(1), "sleep", 0.1];
  });
  xdotool("mousemove", ...from, "sleep", 0.1, "mousedown", 1, "sleep", 0.1, ...steps, "sleep", 0.3, "mouseup", 1);
};

/** Answers GTK's file chooser by typing a path. */
export const chooseInDialog = async (title, path) => {
  const dialog = await findWindow(title);
  xdotool("windowfocus", dialog, "sleep", 0.3, "key", "ctrl+l", "sleep", 0.6, "key", "ctrl+a", "type", "--delay", 20, path);
  // What the dialog would like to complete isn't meant.
  xdotool("sleep", 0.4, "key", "Delete", "sleep", 0.4, "key", "Return");
};

/** Whether the page shows or holds the password, and which files of this computer, or texts made for others, do. */
export const whoKnowsPassword = async (window, home) => {
  const page = await window.run(
    "return document.documentElement.outerHTML + [...document.querySelectorAll('input, textarea')].map((e) => e.value).join('\\n')",
  );
  const report = (await window.call("report", { folderNames: true })).text;
  const log = JSON.stringify(await window.call("log", { level: "trace", lines: 5000 }));
  const texts = { page, report, log };
  if (!report.includes("version")) throw new Error("there is no report to look into");
  // Some programs write what people type in the other way of computers to write.
  const written = [Buffer.from(PASSWORD), Buffer.from(PASSWORD, "utf16le")];
  const files = readdirSync(home.home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const knowing = files.filter((file) => {
    const bytes = readFileSync(file);
    return written.some((password) => bytes.includes(password));
  });
  return [...Object.keys(texts).filter((name) => texts[name].includes(PASSWORD)), ...knowing];
};

export const PASSWORD = "orbit-lantern-velvet-quarry-mango";

/** A computer that serves its data, set up and run by the terminal program. */
export const serve = async (home, name) => {
  const secret = join(home.home, "password.txt");
  writeFileSync(secret, `${PASSWORD}\n`);
  const tandem = (...args) => execFileSync(terminal, ["--config-dir", home.profile, ...args], { encoding: "utf8", env: { ...process.env, ...home.env } });
  tandem("init", "--server", "--name", name, "--store", `files:${home.data}`, "--password-file", secret, "--secrets", "file", "--listen", "127.0.0.1:0");
  const server = start(terminal, ["--config-dir", home.profile, "serve", "--json"], { env: { ...process.env, ...home.env } });
  const failed = once(server, "exit").then(() => Promise.reject(new Error(`${name} can't be served`)));
  const [line] = await Promise.race([once(createInterface({ input: server.stdout }), "line"), failed]);
  const port = JSON.parse(line).addresses[0].split(":").pop();
  const invitation = join(home.home, `${name}.tandem`);
  const hint = ["--hint", `127.0.0.1:${port}`];
  tandem("invite", "--out", invitation, ...hint);
  return { invitation, link: tandem("invite", ...hint).trim(), close: () => server.kill() };
};

/** A desk with a window manager and a server on it, "Office PC", that has one contact. */
export const deskWithOffice = async () => {
  start("openbox", []);
  const home = computer("office");
  home.write("contacts/Friends/a.vcf", contact("a", "Anna"));
  return serve(home, "Office PC");
};

export const clearDesk = () => {
  for (const child of started) child.kill();
  for (const place of places) rmSync(place, { recursive: true, force: true, maxRetries: 10 });
};
