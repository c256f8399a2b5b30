/** A made-up office: what the fake host answers when nothing else is asked of it. */
import type { ConflictDetail } from "../ipc/bindings/ConflictDetail.ts";
import type { ConflictView } from "../ipc/bindings/ConflictView.ts";
import type { DataFile } from "../ipc/bindings/DataFile.ts";
import type { DataSource } from "../ipc/bindings/DataSource.ts";
import type { DeviceView } from "../ipc/bindings/DeviceView.ts";
import type { EntryView } from "../ipc/bindings/EntryView.ts";
import type { FolderView } from "../ipc/bindings/FolderView.ts";
import type { HeldView } from "../ipc/bindings/HeldView.ts";
import type { HistoryAnswer } from "../ipc/bindings/HistoryAnswer.ts";
import type { HistoryRequest } from "../ipc/bindings/HistoryRequest.ts";
import type { HostState } from "../ipc/bindings/HostState.ts";
import type { Preview } from "../ipc/bindings/Preview.ts";
import type { PreviewFolder } from "../ipc/bindings/PreviewFolder.ts";
import type { RelayView } from "../ipc/bindings/RelayView.ts";
import type { RendezvousView } from "../ipc/bindings/RendezvousView.ts";
import type { RunView } from "../ipc/bindings/RunView.ts";
import type { SampleAction } from "../ipc/bindings/SampleAction.ts";
import type { Samples } from "../ipc/bindings/Samples.ts";
import type { ServerCard } from "../ipc/bindings/ServerCard.ts";
import type { ServerFolder } from "../ipc/bindings/ServerFolder.ts";
import type { SettingsView } from "../ipc/bindings/SettingsView.ts";
import type { SourceFolder } from "../ipc/bindings/SourceFolder.ts";
import type { Status } from "../ipc/bindings/Status.ts";
import type { TrafficHour } from "../ipc/bindings/TrafficHour.ts";
import type { PublicationView } from "../ipc/bindings/PublicationView.ts";
import { problem } from "./problems.ts";

const now = Math.floor(Date.now() / 1000);
const fingerprint = "48213 90417 55620 18834 07291 63358";

export const hostState: HostState = {
  stage: { at: "firstStart" },
  version: "0.1.0",
  platform: "linux",
  computerName: "Office PC",
  language: "en",
  passwordStore: "keyring",
  hasTray: true,
  updatedFrom: null,
  hasSamples: false,
  systemIsDark: false,
};

const source = (id: string, what: Partial<DataSource>): DataSource => ({
  id,
  program: "folder",
  name: id,
  path: null,
  state: "ready",
  kinds: [],
  items: 0,
  isMailOnServer: false,
  problem: null,
  ...what,
});

export const sources = {
  outlook: source("outlook-1", {
    program: "outlook",
    name: "Outlook – Anna, anna@example.org",
    kinds: [
      { kind: "mail", folders: 9, items: 10_300 },
      { kind: "contacts", folders: 2, items: 806 },
      { kind: "calendar", folders: 3, items: 1_204 },
    ],
    items: 12_310,
    isMailOnServer: true,
  }),
  folder: source("folder-1", {
    name: "/home/anna/Tandem",
    path: "/home/anna/Tandem",
    kinds: [
      { kind: "mail", folders: 3, items: 2_104 },
      { kind: "contacts", folders: 1, items: 806 },
    ],
    items: 2_910,
  }),
  several: source("several-1", {
    program: "several",
    name: "Outlook – Anna, anna@example.org + /home/anna/Tandem",
    kinds: [
      { kind: "mail", folders: 12, items: 12_404 },
      { kind: "contacts", folders: 3, items: 1_612 },
      { kind: "calendar", folders: 3, items: 1_204 },
    ],
    items: 15_220,
  }),
  fresh: source("folder-2", { name: "/home/anna/Tandem", path: "/home/anna/Tandem", state: "new" }),
};

export const dataFile: DataFile = {
  name: "archive 2014.pst",
  source: null,
  folders: [
    { kind: "mail", path: "archive 2014/Inbox", added: 8_210, present: 12 },
    { kind: "mail", path: "archive 2014/Sent Items", added: 2_077, present: 0 },
    { kind: "contacts", path: "archive 2014/Contacts", added: 240, present: 3 },
    { kind: "calendar", path: "archive 2014/Calendar", added: 1_108, present: 0 },
  ],
  added: 11_635,
  present: 15,
  leftOut: 4,
  hasPassword: true,
  refusedCount: 0,
  refused: [],
};

const sourceFolder = (path: string, items: number, bytes: number): SourceFolder => ({
  path,
  kind: path.split("/")[0] ?? "",
  name: path.split("/").at(-1) ?? path,
  special: null,
  items,
  bytes,
  problem: null,
});

export const sourceFolders: SourceFolder[] = [
  sourceFolder("mail/Inbox", 1_840, 31_000_000),
  sourceFolder("mail/Inbox/Customers", 212, 4_100_000),
  sourceFolder("mail/Sent", 52, 900_000),
  sourceFolder("contacts/Contacts", 806, 1_200_000),
  sourceFolder("calendar/Calendar", 1_204, 2_300_000),
  sourceFolder("tasks/Tasks", 97, 120_000),
  sourceFolder("notes/Notes", 0, 0),
];

const card = (id: string, what: Partial<ServerCard>): ServerCard => ({
  id,
  name: "Office PC",
  comment: null,
  fingerprint: null,
  knownBy: "network",
  isInNetwork: false,
  isConnectedAlready: false,
  platform: null,
  seenSecsAgo: null,
  ticketExpires: null,
  directory: null,
  note: null,
  ...what,
});

export const serverCards = {
  lan: card("lan-1", { comment: "Anna, front desk", isInNetwork: true, platform: "windows", seenSecsAgo: 4, fingerprint }),
  twin: card("lan-2", { isInNetwork: true, platform: "linux", seenSecsAgo: 9, fingerprint: "10482 55301 99027 41138 60612 72245" }),
  invited: card("inv-1", { knownBy: "invitation", fingerprint, ticketExpires: now + 5 * 86_400 }),
  byId: card("id-1", { knownBy: "serverId", comment: "Anna, front desk", fingerprint }),
};

export const offered: ServerFolder[] = [
  { path: "mail/Inbox", kind: "mail", items: 10_300 },
  { path: "contacts/Contacts", kind: "contacts", items: 806 },
  { path: "calendar/Calendar", kind: "calendar", items: 1_204 },
  { path: "tasks/Tasks", kind: "tasks", items: 97 },
];

const previewFolder = (path: string, numbers: Partial<PreviewFolder>): PreviewFolder => ({
  path,
  addedHere: 0,
  addedThere: 0,
  same: 0,
  differ: 0,
  notSure: 0,
  removedHere: 0,
  removedThere: 0,
  names: [],
  ...numbers,
});

const previewFolders: PreviewFolder[] = [
  previewFolder("calendar/Calendar", { addedHere: 128, addedThere: 12, same: 1_061, differ: 3, notSure: 2, names: ["Dentist", "Team meeting", "Tax adviser"] }),
  previewFolder("contacts/Contacts", { addedThere: 41, same: 765 }),
  previewFolder("tasks/Tasks", { addedHere: 97 }),
];

const sum = (of: Exclude<keyof PreviewFolder, "path" | "names">): number =>
  previewFolders.reduce((all, folder) => all + folder[of], 0);

export const preview: Preview = {
  shape: 1,
  folders: previewFolders,
  total: previewFolder("", {
    addedHere: sum("addedHere"),
    addedThere: sum("addedThere"),
    same: sum("same"),
    differ: sum("differ"),
    notSure: sum("notSure"),
  }),
  bytesHere: 4_800_000,
  bytesThere: 1_200_000,
};

export const samePreview: Preview = {
  ...preview,
  folders: [previewFolder("contacts/Contacts", { same: 806 })],
  total: previewFolder("", { same: 806 }),
  bytesHere: 0,
  bytesThere: 0,
};

export const status: Status = {
  shape: 1,
  version: "0.1.0",
  role: "server",
  name: "Office PC",
  serverName: "Office PC",
  fingerprint,
  word: "upToDate",
  isConnected: true,
  isReading: false,
  isQuiet: true,
  pending: 0,
  itemsDone: 312,
  bytesDone: 4_100_000,
  conflicts: 0,
  held: 0,
  internet: true,
  addresses: ["192.168.1.10:47113"],
  pausedUntil: null,
  problem: null,
};

const folder = (uid: string, path: string, items: number, what: Partial<FolderView> = {}): FolderView => ({
  uid,
  kind: path.split("/")[0] ?? "",
  path,
  here: path,
  direction: "both",
  items,
  agreed: items,
  isPaused: false,
  ...what,
});

export const folders: FolderView[] = [
  folder("f1", "mail/Inbox", 10_300),
  folder("f2", "contacts/Contacts", 806),
  folder("f3", "calendar/Calendar", 1_204),
  folder("f4", "tasks/Tasks", 97, { direction: "to-here", here: "tasks/To do" }),
];

export const relay: RelayView = { address: null, user: null, state: null, candidate: null, problem: null };
export const switchboard: RendezvousView = {
  rendezvous: "directory.example:47114=3F2A91C077D40B185E6FA2C91D3348E73F2A91C077D40B185E6FA2C91D3348E7",
  observed: [{ address: "203.0.113.7:47113", translation: "endpointIndependent" }],
};

export const chosenFolders: FolderView[] = folders.map((one, index) => {
  if (index === 1) return { ...one, direction: "off", isPaused: true };
  return index === 2 ? { ...one, direction: "off", here: null } : one;
});

export const goingFolders: FolderView[] = folders.map((one, index) => (index === 1 ? { ...one, agreed: 312 } : one));

export const runs: RunView[] = [
  { id: 5, started: now - 150, ended: now - 120, added: 2, changed: 1, deleted: 0, folders: 0, conflicts: 0, isFirst: false },
  { id: 4, started: now - 7_300, ended: now - 7_200, added: 0, changed: 3, deleted: 12, folders: 1, conflicts: 1, isFirst: false },
  { id: 3, started: now - 90_000, ended: now - 89_000, added: 41, changed: 0, deleted: 0, folders: 0, conflicts: 0, isFirst: true },
];

export const entries: EntryView[] = [
  { id: 1, item: "i1", action: "added", isHere: true, folder: "contacts/Contacts", title: "Jonas Weber", isUndone: false },
  { id: 2, item: "i2", action: "changed", isHere: false, folder: "calendar/Calendar", title: "Dentist", isUndone: false },
  { id: 3, item: "i3", action: "deleted", isHere: true, folder: "tasks/Tasks", title: "Order paper", isUndone: true },
];

/** A first synchronization that brought ten thousand items, and ten thousand runs behind it, as much at a time as one gets. */
export const tenThousand = ({ run, before, after }: HistoryRequest): HistoryAnswer => {
  const ids = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);
  if (run === null) {
    const first = before === undefined ? 0 : 10_001 - before;
    const runs = ids(first, Math.min(200, 10_000 - first)).map((index) => ({
      id: 10_000 - index,
      started: now - index * 3_600 - 150,
      ended: now - index * 3_600 - 120,
      added: index === 0 ? 10_000 : 1,
      changed: 0,
      deleted: 0,
      folders: 0,
      conflicts: 0,
      isFirst: false,
    }));
    return { runs, entries: [], isMore: runs.length === 200 };
  }
  const first = (after ?? 0) + 1;
  const entries = ids(first, Math.min(2_000, 10_001 - first)).map((id) => ({
    id,
    item: `i${id}`,
    action: "added",
    isHere: true,
    folder: "mail/Inbox",
    title: `Message ${id}`,
    isUndone: false,
  }));
  return { runs: [], entries, isMore: entries.length === 2_000 };
};

export const conflicts: ConflictView[] = [
  { id: "c1", item: "i2", kind: "calendar", title: "Dentist", folder: "calendar/Calendar", fields: ["Start", "Place"], note: null, at: now - 3_600 },
  { id: "c2", item: "i4", kind: "contacts", title: "Jonas Weber", folder: "contacts/Contacts", fields: ["Phone"], note: null, at: now - 9_000 },
];

export const conflict: ConflictDetail = {
  conflict: conflicts[0] as ConflictView,
  server: [
    { name: "Title", text: "Dentist" },
    { name: "Start", text: "3 Dec 2026, 10:00" },
    { name: "Place", text: "Main Street 4" },
  ],
  other: [
    { name: "Title", text: "Dentist" },
    { name: "Start", text: "3 Dec 2026, 11:30" },
    { name: "Place", text: "Main Street 4, second floor" },
  ],
};

/** In the language in use. */
export const held = (): HeldView[] => [
  {
    folder: "f2",
    path: "contacts/Contacts",
    count: 403,
    of: 806,
    waits: "atServer",
    examples: ["Jonas Weber", "Mia Schulz", "Print shop Krüger"],
    problem: problem("S01", { n: 403 }),
  },
];

const today = Math.floor(now / 86_400);
export const devices: DeviceView[] = [
  { id: "d1", name: "Laptop", platform: "windows", version: "0.1.0", pairedAt: now - 9_000_000, lastSeenDay: today, isRemoved: false, isConnected: true, path: "local" },
  { id: "d2", name: "Workshop", platform: "linux", version: "0.0.9", pairedAt: now - 8_000_000, lastSeenDay: today - 3, isRemoved: false, isConnected: false, path: null },
  { id: "d3", name: "Old laptop", platform: "macos", version: null, pairedAt: now - 9_500_000, lastSeenDay: today - 40, isRemoved: true, isConnected: false, path: null },
];

const busy = [0, 0, 0, 0, 2, 9, 31, 60, 41, 22, 18, 12, 25, 30, 22, 14, 9, 8, 4, 2, 1, 1, 1, 0];
export const traffic: TrafficHour[] = busy.map((items, index) => ({
  at: Math.floor(now / 3_600) * 3_600 - (23 - index) * 3_600,
  items,
  bytes: items * 13_000,
}));

export const settings: SettingsView = {
  language: null,
  appearance: "system",
  moreContrast: false,
  textSizePercent: 100,
  startsWithComputer: true,
  close: "ask",
  tellsConflicts: true,
  tellsHeld: true,
  tellsSilenceAfterDays: 3,
  name: "Office PC",
  internet: true,
  peerNames: true,
  port: 47_113,
  uploadBytesPerSecMax: 0,
  downloadBytesPerSecMax: 0,
  waitsOnMetered: false,
  knowsMetered: true,
  detailedLog: false,
  conflicts: "ask",
  backupDays: 30,
  backupBytesMax: 2_000_000_000,
  backupBytes: 38_000_000,
  backupPlace: "/home/anna/.local/share/tandem/blobs",
  isBackupElsewhere: false,
  isPasswordKept: true,
  needsRestart: false,
};

export const publication: PublicationView = {
  state: "none",
  serverId: null,
  name: "Office PC",
  comment: null,
  publicKey: "3F2A 91C0 77D4 0B18 5E6F A2C9 1D33 48E7",
  publishedAt: null,
  renewedAt: null,
  places: [],
  saysInternet: null,
};
export const published: PublicationView = {
  ...publication,
  state: "published",
  serverId: "K7QF2M9DXH4R8TWA",
  comment: "Anna, front desk",
  publishedAt: now - 600,
  renewedAt: now - 60,
  places: [{ directory: null, isLeft: false, storedAt: now - 60, problem: null }],
};

const sampleFolders = [
  {
    path: "calendar/Calendar",
    kind: "calendar",
    name: "Calendar",
    items: [
      { id: "s1", title: "Team meeting", fields: [{ name: "Start", text: "Monday, 9:00" }, { name: "Place", text: "Kitchen" }] },
      { id: "s2", title: "Dentist", fields: [{ name: "Start", text: "Thursday, 10:00" }] },
    ],
  },
  {
    path: "contacts/Contacts",
    kind: "contacts",
    name: "Contacts",
    items: [{ id: "s3", title: "Jonas Weber", fields: [{ name: "Phone", text: "+49 30 1234567" }] }],
  },
];
export const samples: Samples = {
  server: { name: "Office PC", status, folders: sampleFolders },
  client: { name: "Laptop", status: { ...status, role: "client", name: "Laptop" }, folders: sampleFolders },
  isLinked: true,
  isSame: true,
  publication,
  lookedUp: null,
};
export function samplesAfter(now: Samples, action: SampleAction): Samples {
  const serverId = published.serverId ?? "";
  switch (action.do) {
    case "cut":
      return { ...now, isLinked: false, isSame: false };
    case "restore":
      return { ...now, isLinked: true, isSame: true };
    case "publish":
      return { ...now, publication: published, lookedUp: { serverId, found: null, problem: null } };
    case "revoke":
      return { ...now, publication };
    case "lookUp": {
      const isThere = now.publication.state === "published";
      return { ...now, lookedUp: { serverId, found: isThere ? "Office PC" : null, problem: isThere ? null : problem("I02") } };
    }
    default:
      return now;
  }
}
