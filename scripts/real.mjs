// `npm run test:real`: two computers on this one, 6,046 real messages, edits of every kind, cut off at bad moments. After
// each scene both data folders are compared byte for byte by a program that shares no code with Tandem.
// npm run test:real -- --count 100 takes only the first messages of each folder; --program PATH a program that is built.

import { spawn, spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { buildTandem } from "./lib/build.mjs";
import { differencesBetween } from "./lib/compare.mjs";
import { writeMaildir } from "./lib/real-mail.mjs";
import { provide, toBuild } from "./lib/prerequisites.mjs";
import { root } from "./lib/run.mjs";

const option = (name) => (process.argv.includes(name) ? process.argv[process.argv.indexOf(name) + 1] : undefined);
const count = Number(option("--count") ?? Infinity);

let program = option("--program");
if (!program) {
  if (!(await provide(toBuild))) process.exit(1);
  program = await buildTandem();
  if (!program) process.exit(1);
}

const place = mkdtempSync(join(tmpdir(), "tandem-real-"));
const password = join(place, "password.txt");
writeFileSync(password, "orbit-lantern-velvet-quarry-mango\n", { mode: 0o600 });

/** A profile and a data folder. */
const computer = (name) => {
  const [config, data] = [join(place, name, "config"), join(place, name, "data")];
  mkdirSync(data, { recursive: true });
  const tandem = (...args) => {
    const { status, stdout, stderr } = spawnSync(program, ["--config-dir", config, ...args], { encoding: "utf8" });
    if (status !== 0) throw new Error(`${name}: tandem ${args.join(" ")} ended with ${status}\n${stdout}${stderr}`);
    return stdout;
  };
  const start = (...args) => spawn(program, ["--config-dir", config, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  return { name, config, data, tandem, start, mail: (folder = "") => join(data, "mail", folder, "cur") };
};

const home = computer("home");
const laptop = computer("laptop");
let server;

const serve = async () => {
  server = home.start("serve", "--json");
  for await (const line of createInterface({ input: server.stdout })) {
    const message = JSON.parse(line);
    if (message.event !== "listening") continue;
    server.stdout.resume();
    return message.addresses;
  }
  throw new Error("the server ended before it listened");
};

const kill = (process) =>
  new Promise((resolve) => {
    if (process.exitCode !== null || process.signalCode !== null) return resolve();
    process.on("exit", resolve);
    process.kill("SIGKILL");
  });

const scene = async (name, play) => {
  const started = Date.now();
  await play();
  const deadline = Date.now() + 120_000;
  let differences = ["not compared yet"];
  while (differences.length > 0 && Date.now() < deadline) {
    laptop.tandem("sync");
    differences = differencesBetween(home.data, laptop.data);
    if (differences.length > 0) await pause(500);
  }
  if (differences.length > 0) {
    throw new Error(`${name}: ${differences.length} differences\n${differences.slice(0, 20).join("\n")}\nsee ${place}`);
  }
  console.log(`  ${name}: the same on both after ${((Date.now() - started) / 1000).toFixed(1)} s`);
};

const messages = (computer, folder) => readdirSync(computer.mail(folder)).sort();

try {
  const written = writeMaildir(join(home.data, "mail"), count);
  mkdirSync(join(home.data, "contacts/Private"), { recursive: true });
  for (let n = 0; n < 60; n += 1) {
    const card = ["BEGIN:VCARD", "VERSION:3.0", `UID:c${n}`, `FN:Person ${n}`, `N:${n};Person;;;`, `TEL:+49 30 ${n}`, "X-OWN:a,b", "END:VCARD", ""];
    writeFileSync(join(home.data, `contacts/Private/c${n}.vcf`), card.join("\r\n"));
  }
  const corpus = fileURLToPath(new URL("tests/fixtures/corpus", root));
  let odd = 0;
  for (const [part, ending, folder] of [["contacts", "vcf", "vcf"], ["calendars", "ics", "ics"]]) {
    mkdirSync(join(home.data, part, "Corpus"), { recursive: true });
    const files = existsSync(join(corpus, folder)) ? readdirSync(join(corpus, folder)).filter((name) => name.endsWith(`.${ending}`)) : [];
    for (const file of files) cpSync(join(corpus, folder, file), join(home.data, part, "Corpus", file));
    odd += files.length;
  }
  console.log(`${written} messages, 60 contacts, ${odd} odd cards and calendars in ${place}`);

  home.tandem("init", "--server", "--name", "Home", "--store", `files:${home.data}`, "--password-file", password, "--listen", "127.0.0.1:0");
  const addresses = await serve();
  const invitation = join(place, "home.tandem");
  home.tandem("invite", "--out", invitation, ...addresses.flatMap((address) => ["--hint", address]));
  laptop.tandem("join", invitation, "--store", `files:${laptop.data}`, "--password-file", password, "--preview");
  if (existsSync(laptop.mail()) && readdirSync(laptop.mail()).length > 0) throw new Error("the preview wrote something");

  await scene("first copy, the client killed four times", async () => {
    const join = laptop.start("join", invitation, "--store", `files:${laptop.data}`, "--password-file", password, "--yes");
    join.stdout.resume();
    const hasBegun = () => existsSync(laptop.mail()) && messages(laptop, "").length > 0;
    while (!hasBegun() && join.exitCode === null) await pause(100);
    await kill(join);
    for (let times = 0; times < 3; times += 1) {
      const client = laptop.start("run");
      client.stdout.resume();
      await pause(300 + 700 * times);
      await kill(client);
    }
  });

  await scene("new, changed, flagged and deleted on both sides", () => {
    const [a, b] = [messages(home, ""), messages(laptop, ".Junk")];
    renameSync(join(home.mail(), a[0]), join(home.mail(), `${a[0].split(":")[0]}:2,FRS`));
    rmSync(join(home.mail(), a[1]));
    writeFileSync(join(laptop.mail(), "1999999999.new.laptop:2,"), "From: a@example.org\nSubject: new\n\nHello\n");
    renameSync(join(laptop.mail(".Junk"), b[0]), join(laptop.mail(".Archive.2002"), b[0]));
    const card = join(laptop.data, "contacts/Private", readdirSync(join(laptop.data, "contacts/Private")).filter((name) => name.endsWith(".vcf")).sort()[0]);
    writeFileSync(card, readFileSync(card, "utf8").replace("END:VCARD", "NOTE:from the laptop\r\nEND:VCARD"));
  });

  await scene("a new folder here, a renamed one there", () => {
    for (const part of ["cur", "new", "tmp"]) mkdirSync(join(home.data, "mail/.Projects", part), { recursive: true });
    cpSync(join(home.mail(), messages(home, "")[5]), join(home.mail(".Projects"), "1888888888.copy.home:2,S"));
    renameSync(join(laptop.data, "mail/.Junk.Older"), join(laptop.data, "mail/.Junk.Oldest"));
  });

  await scene("the server killed while both change", async () => {
    const client = laptop.start("run");
    client.stdout.resume();
    for (let n = 0; n < 20; n += 1) {
      const here = n % 2 === 0 ? home : laptop;
      writeFileSync(join(here.mail(), `17${String(n).padStart(8, "0")}.k.${here.name}:2,`), `From: k@example.org\nSubject: ${n}\n\n${n}\n`);
      await pause(50);
      if (n % 7 === 6) {
        await kill(server);
        await serve();
      }
    }
    await kill(client);
  });

  await scene("both change one field", () => {
    const change = (computer, name) => {
      const folder = join(computer.data, "contacts/Private");
      const file = readdirSync(folder).map((entry) => join(folder, entry)).find((path) => path.endsWith(".vcf") && readFileSync(path, "utf8").includes("UID:c7\r"));
      writeFileSync(file, readFileSync(file, "utf8").replace(/FN:.*\r/, `FN:${name}\r`));
    };
    change(home, "Seven of the office");
    change(laptop, "Seven of the laptop");
    // The office's change is known to its server before the laptop calls.
    return pause(2000);
  });
  await scene("the conflict decided for the laptop", async () => {
    const answer = JSON.parse(laptop.tandem("conflicts", "--json"));
    const conflicts = Array.isArray(answer) ? answer : answer.conflicts;
    if (conflicts?.length !== 1) throw new Error(`one conflict was to be found: ${JSON.stringify(answer)}`);
    const client = laptop.start("run");
    client.stdout.resume();
    await pause(3000);
    laptop.tandem("conflicts", "resolve", conflicts[0].id, "--keep", "client");
    await pause(3000);
    await kill(client);
    const text = (computer) => readdirSync(join(computer.data, "contacts/Private")).map((name) => readFileSync(join(computer.data, "contacts/Private", name), "utf8")).join("");
    if (!text(laptop).includes("FN:Seven of the laptop\r")) throw new Error("the laptop's name wasn't kept");
  });

  console.log("1 passed, 0 failed");
} finally {
  if (server) await kill(server);
}
rmSync(place, { recursive: true });
