// The data that is copied: made once, the same on every computer, kept in target/bench/data.

import { createCipheriv } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchRealMail } from "../real-mail.mjs";

/** 20,000 messages, about 950 MB: real mail, every twenty-fifth message with an attachment that can't be compressed. */
export const SET = "set";

const FOLDERS = ["", ".Sent", ".Archive", ".Archive.2023", ".Archive.2024", ".Projects", ".Projects.Alpha", ".Lists",
  ".Drafts", ".Trash"];
const MESSAGES_IN_SET = 20_000;
const ATTACHMENT_BYTES = { least: 20 * 1024, most: 4 * 1024 * 1024 };

/** `"10k"` → 10,000. */
export const countOf = (size) => {
  if (size === SET) return MESSAGES_IN_SET;
  const [, number, unit] = /^(\d+)([kM]?)$/.exec(size) ?? [];
  if (!number) throw new Error(`"${size}" is no size: name a number such as 500, 10k or 1M, or "${SET}"`);
  return Number(number) * { "": 1, k: 1_000, M: 1_000_000 }[unit];
};

/** A folder with `mail/` in it, made if it isn't there. Tells how much it holds. */
export const provideData = (place, size) => {
  const folder = join(place, size);
  if (!existsSync(folder)) {
    const making = `${folder}.making`;
    rmSync(making, { recursive: true, force: true });
    writeMail(join(making, "mail"), countOf(size), size === SET ? realMessages() : smallMessages());
    renameSync(making, folder);
  }
  let bytes = 0;
  let files = 0;
  for (const name of FOLDERS) {
    const cur = join(folder, "mail", name, "cur");
    for (const file of readdirSync(cur)) {
      bytes += statSync(join(cur, file)).size;
      files += 1;
    }
  }
  return { folder, files, bytes };
};

const writeMail = (mail, count, messages) => {
  for (const folder of FOLDERS) {
    for (const part of ["cur", "new", "tmp"]) mkdirSync(join(mail, folder, part), { recursive: true });
  }
  const random = randomNumbers(7);
  for (let number = 0; number < count; number += 1) {
    const message = messages(number, random);
    // Half of all mail lies in the inbox, half of the rest in the next folder, and so on.
    const place = Math.min(Math.floor(-Math.log2(1 - random()) * 1.4), FOLDERS.length - 1);
    const flags = [["F", 0.1], ["R", 0.1], ["S", 0.8]].map(([flag, chance]) => (random() < chance ? flag : "")).join("");
    const name = `${1_700_000_000 + number}.M${number}P1.bench:2,${flags}`;
    writeFileSync(join(mail, FOLDERS[place], "cur", name), message);
  }
};

const smallMessages = () => (number, random) => {
  const words = Array.from({ length: 60 + Math.floor(random() * 120) }, () => Math.floor(random() * 1e6).toString(36));
  return `${headOf(number)}Subject: message ${number}\n\n${words.join(" ")}\n`;
};

const realMessages = () => {
  const files = fetchRealMail().flatMap(({ files }) => files);
  const read = new Map();
  return (number, random) => {
    const file = files[number % files.length];
    if (!read.has(file)) read.set(file, withoutId(readFileSync(file)));
    const { head, body } = read.get(file);
    if (random() >= 0.04) return Buffer.concat([Buffer.from(`Message-ID: <bench-${number}@example.org>\n`), head, body]);
    const { least, most } = ATTACHMENT_BYTES;
    return withAttachment(number, body.subarray(0, 4000), Math.floor(least * (most / least) ** random()));
  };
};

/** A message's head without its ID, and the rest; the bytes are kept as they are. */
const withoutId = (message) => {
  const text = message.toString("latin1").replace(/^From [^\n]*\n/, "");
  const end = text.indexOf("\n\n");
  const [head, body] = end < 0 ? [text, "\n\n"] : [text.slice(0, end), text.slice(end)];
  const lines = head.replace(/^message-id:[^\n]*(\n[ \t][^\n]*)*\n?/gim, "");
  return { head: Buffer.from(lines, "latin1"), body: Buffer.from(body, "latin1") };
};

const withAttachment = (number, text, size) => {
  const edge = `=_bench_${number}`;
  const attachment = randomBytes(number, size).toString("base64").replace(/.{76}/g, "$&\n");
  const type = `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="${edge}"\n\n--${edge}\nContent-Type: text/plain\n\n`;
  const part = `\n--${edge}\nContent-Type: application/pdf\nContent-Disposition: attachment; filename=r${number}.pdf\n`;
  return Buffer.concat([
    Buffer.from(`${headOf(number)}Subject: report ${number}\n${type}`),
    text,
    Buffer.from(`${part}Content-Transfer-Encoding: base64\n\n${attachment}\n--${edge}--\n`),
  ]);
};

const headOf = (number) =>
  `Message-ID: <bench-${number}@example.org>\nFrom: a@example.org\nTo: b@example.org\nDate: Thu, 22 Aug 2002 12:36:23 +0000\n`;

/** Bytes that no program can make smaller, the same for the same number. */
const randomBytes = (number, size) => {
  const start = Buffer.alloc(16);
  start.writeUInt32BE(number);
  return createCipheriv("aes-128-ctr", Buffer.alloc(16, 7), start).update(Buffer.alloc(size));
};

/** Numbers from 0 to 1 (mulberry32): the same data everywhere. */
const randomNumbers = (seed) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
