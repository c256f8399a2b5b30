import assert from "node:assert/strict";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { differencesBetween } from "./compare.mjs";

/** Two equal data folders, and a way to write into them. */
const twoComputers = (t) => {
  const place = mkdtempSync(join(tmpdir(), "tandem-compare-"));
  t.after(() => rmSync(place, { recursive: true }));
  const [home, laptop] = [join(place, "home"), join(place, "laptop")];
  const write = (computer, path, text) => {
    mkdirSync(dirname(join(computer, path)), { recursive: true });
    writeFileSync(join(computer, path), text);
  };
  write(home, "mail/cur/1.a:2,S", "first");
  write(home, "mail/new/2.b", "second");
  write(home, "mail/.Archive.2024/cur/3.c:2,Sa", "third");
  write(home, "mail/.Archive.2024/dovecot-keywords", "0 $Important\n");
  write(home, "contacts/Private/anna.vcf", "anna");
  cpSync(home, laptop, { recursive: true });
  return { home, laptop, write };
};

test("equal folders have no differences, whatever the files are called", (t) => {
  const { home, laptop } = twoComputers(t);
  renameSync(join(laptop, "mail/cur/1.a:2,S"), join(laptop, "mail/cur/9.z,U=4:2,S"));
  renameSync(join(laptop, "mail/new/2.b"), join(laptop, "mail/cur/2.b:2,"));
  renameSync(join(laptop, "contacts/Private/anna.vcf"), join(laptop, "contacts/Private/0.vcf"));
  assert.deepEqual(differencesBetween(home, laptop), []);
});

test("keyword letters are compared by what they mean", (t) => {
  const { home, laptop, write } = twoComputers(t);
  write(laptop, "mail/.Archive.2024/dovecot-keywords", "0 $Other\n1 $Important\n");
  assert.equal(differencesBetween(home, laptop).length, 2);
  renameSync(join(laptop, "mail/.Archive.2024/cur/3.c:2,Sa"), join(laptop, "mail/.Archive.2024/cur/3.c:2,Sb"));
  assert.deepEqual(differencesBetween(home, laptop), []);
});

test("a changed flag, a changed byte, a second copy and a missing folder are each seen", (t) => {
  for (const change of [
    ({ laptop }) => renameSync(join(laptop, "mail/cur/1.a:2,S"), join(laptop, "mail/cur/1.a:2,FS")),
    ({ laptop, write }) => write(laptop, "contacts/Private/anna.vcf", "Anna"),
    ({ laptop, write }) => write(laptop, "mail/cur/1.copy:2,S", "first"),
    ({ laptop }) => rmSync(join(laptop, "mail/.Archive.2024"), { recursive: true }),
    ({ laptop, write }) => write(laptop, "notes/Ideas/a.md", "new"),
  ]) {
    const computers = twoComputers(t);
    change(computers);
    assert.notDeepEqual(differencesBetween(computers.home, computers.laptop), []);
  }
});
