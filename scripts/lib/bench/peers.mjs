// The usual tools, each between two folders of one computer, without encryption: their best case.
//
// A tool is begun on a place with `a/` (the data) and returns what keeps `b/` the same as `a/`.

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { has, outputOf } from "../run.mjs";
import { measure } from "./measure.mjs";

const IMAP_PORT = 14_399;
const isRoot = process.getuid?.() === 0;

/** Every peer, with what it needs. */
export const peers = new Map([
  ["rsync", { isThere: () => has("rsync"), begin: (place) => repeated("rsync", rsyncArgs(place)) }],
  [
    "rsync+flush",
    {
      isThere: () => has("rsync"),
      // Both promises kept: the copy is there, and it is on the disk.
      begin: (place) => repeated("sh", ["-c", 'rsync "$@" && sync -f "$0"', place, ...rsyncArgs(place)]),
    },
  ],
  ["unison", { isThere: () => has("unison", "-version"), begin: (place) => beginUnison(place) }],
  ["mbsync", { isThere: () => has("mbsync") && hasDovecot(), begin: (place) => beginMbsync(place) }],
  ["dsync", { isThere: () => hasDovecot(), begin: (place) => beginDsync(place) }],
]);

// Dovecot's programs change to users of their own, which only root can.
const hasDovecot = () => isRoot && has("dovecot");

const repeated = (program, args, options) => ({ sync: () => measure(program, args, options), end: () => {} });

const rsyncArgs = (place) => ["-a", "--delete", `${join(place, "a")}/`, `${join(place, "b")}/`];

const beginUnison = (place) =>
  repeated("unison", [join(place, "a"), join(place, "b"), "-batch", "-silent", "-confirmbigdel=false"], {
    env: { UNISON: join(place, "unison") },
  });

const beginDsync = async (place) => {
  const { config, pid, end } = await beginDovecot(place);
  const far = ["doveadm", "-c", config, "dsync-server", "-u", "b"];
  return { ...repeated("doveadm", ["-c", config, "sync", "-u", "a", ...far], { beside: [pid] }), end };
};

const beginMbsync = async (place) => {
  const { pid, end } = await beginDovecot(place);
  const near = join(place, "b/mail");
  mkdirSync(near, { recursive: true });
  const config = join(place, "mbsyncrc");
  writeFileSync(
    config,
    `IMAPAccount a
Host 127.0.0.1
Port ${IMAP_PORT}
User a
Pass x
SSLType None
AuthMechs *

IMAPStore far
Account a

MaildirStore near
Path ${near}/
Inbox ${near}/INBOX
SubFolders Verbatim

Channel all
Far :far:
Near :near:
Patterns *
Create Near
Expunge Both
SyncState *
`,
  );
  return { ...repeated("mbsync", ["-c", config, "all"], { beside: [pid] }), end };
};

/** A mail server for the users `a` and `b`, each with the folder of that name. It reads and writes as a user of its own. */
const beginDovecot = async (place) => {
  const user = outputOf("id", ["-u", "vmail"]) ? "vmail" : "nobody";
  const [uid, gid] = ["-u", "-g"].map((flag) => outputOf("id", [flag, user]).trim());
  for (const folder of ["run", "home"]) mkdirSync(join(place, folder), { recursive: true });
  chmodSync(place, 0o777);
  const own = () => spawnSync("chown", ["-R", `${uid}:${gid}`, join(place, "a"), join(place, "home")]);
  own();
  const config = join(place, "dovecot.conf");
  writeFileSync(
    config,
    `first_valid_uid = 1
first_valid_gid = 0
base_dir = ${place}/run
state_dir = ${place}/run
log_path = ${place}/dovecot.log
protocols = imap
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
mail_location = maildir:${place}/%u/mail
service imap-login {
  inet_listener imap {
    port = ${IMAP_PORT}
  }
  inet_listener imaps {
    port = 0
  }
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${place}/home/%u
}
namespace inbox {
  inbox = yes
  separator = /
}
`,
  );
  const server = spawn("dovecot", ["-F", "-c", config], { stdio: "ignore" });
  const gone = new Promise((resolve) => server.on("close", resolve));
  for (let tries = 0; !existsSync(join(place, "run/anvil")); tries += 1) {
    if (tries > 100) throw new Error("Dovecot doesn't start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const end = async () => {
    server.kill();
    await gone;
  };
  return { config, pid: server.pid, end, own };
};
