/** Every screen in every state it can be in. The robot visits them all, and so can you. */
import type App from "../App.svelte";
import * as clientSteps from "../client/steps.ts";
import { FakeHost, refuse, wait, type Answers } from "../fake/host.ts";
import { problem } from "../fake/problems.ts";
import * as world from "../fake/world.ts";
import type { HeldWhere } from "../ipc/bindings/HeldWhere.ts";
import type { HostState } from "../ipc/bindings/HostState.ts";
import type { ProblemView } from "../ipc/bindings/ProblemView.ts";
import type { Stage } from "../ipc/bindings/Stage.ts";
import type { Status } from "../ipc/bindings/Status.ts";
import * as serverSteps from "../server/steps.ts";
import Messages from "./Messages.svelte";
import { t } from "../words/words.svelte.ts";
import type { Page, Session, SettingsSection } from "../session/session.svelte.ts";

export type Scene = {
  /** `screen/state`. */
  id: string;
  answers?: () => Answers;
  state?: () => Partial<HostState>;
  /** Goes where the scene is, once the window is open. */
  go?: (session: Session, host: FakeHost) => unknown;
  /** What is drawn instead of the window. */
  page?: typeof App;
  /** What is folded up is unfolded. */
  isUnfolded?: boolean;
  /** What is pressed before anybody looks: buttons by how their name begins, in the language in use. */
  press?: readonly (() => string)[];
};

const say = (...what: Parameters<typeof t>) => (): string => t(...what);

const { sources, serverCards } = world;
const as = (role: "server" | "client") => (): Partial<HostState> => ({ stage: { at: "running", role, isAttached: false } });
const status = (what: Partial<Status>) => (): Status => ({ ...world.status, ...what });
const laptop = (what: Partial<Status>) => status({ role: "client", name: "Laptop", ...what });
const page = (to: Page) => (session: Session): void => {
  session.page = to;
};
const settings = (to: SettingsSection) => (session: Session): void => {
  session.page = "settings";
  session.settingsAt = to;
};

const server = (what: Partial<serverSteps.State>) => (session: Session): void => {
  session.server = { ...session.server, source: sources.folder, password: "zebra-anchor-mild-otter-lamp", ...what };
  session.screen = "server";
};
const client = (what: Partial<clientSteps.State>) => (session: Session): void => {
  const wishes = world.offered.map((folder) => ({ ...folder, direction: "both" as const, here: null }));
  session.client = { ...session.client, server: serverCards.lan, wishes, source: sources.folder, ...what };
  session.screen = "client";
};
const found = (): Answers => ({ servers: () => [serverCards.lan], look_for_servers: () => [serverCards.lan] });
const stopped = (stage: () => Stage) => (): Partial<HostState> => ({ stage: stage() });
const open = (session: Session, problem_: string): void => {
  session.opened = { file: "Photo.jpg", server: null, problem: problem(problem_), leftAlone: 1 };
};

const heldProblem = (waits: HeldWhere): ProblemView =>
  problem(waits === "emptied" ? "D05" : waits === "reverted" ? "S05" : "S01", { n: 403 });

export const scenes: readonly Scene[] = [
  { id: "first/fresh", answers: () => ({ data_sources: () => [] }) },
  { id: "first/outlook" },
  { id: "first/server-found", answers: found },
  { id: "first/looking", answers: () => ({ data_sources: wait }) },
  { id: "first/not-writable", answers: () => ({ data_sources: refuse("C01") }) },
  { id: "first/hovering", go: (session) => session.told({ host: "hovering", files: ["Office PC.tandem"], isInvitation: true }) },
  { id: "first/hovering-other", go: (session) => session.told({ host: "hovering", files: ["Photo.jpg"], isInvitation: false }) },
  { id: "first/dropped-other", go: (session) => open(session, "V04") },
  { id: "first/dropped-damaged", go: (session) => open(session, "V01") },
  { id: "first/keys", go: (session) => (session.areKeysShown = true) },

  { id: "server-data/found", go: server({ step: "data" }) },
  { id: "server-data/looking", answers: () => ({ data_sources: wait }), go: server({ step: "data", source: null }) },
  { id: "server-data/none", answers: () => ({ data_sources: () => [] }), go: server({ step: "data", source: null }) },
  {
    id: "server-data/importable",
    go: (session) => server({ step: "data", source: { ...sources.folder, id: "loose", state: "importable", problem: problem("D09") } })(session),
  },
  {
    id: "server-data/unusable",
    go: (session) => server({ step: "data", source: { ...sources.folder, id: "odd", state: "unusable", problem: problem("D06") } })(session),
  },
  { id: "server-data/several", go: server({ step: "data" }), isUnfolded: true },
  { id: "server-data/two-together", go: server({ step: "data", source: sources.several }) },
  { id: "server-data/old-data", go: server({ step: "data" }), press: [say("old-data-choose")] },
  { id: "server-folders/everything", go: server({ step: "folders" }) },
  { id: "server-folders/chosen", go: server({ step: "folders", preset: "named", chosen: ["mail/Inbox/Customers", "contacts/Contacts"] }) },
  { id: "server-folders/reading", answers: () => ({ source_folders: wait }), go: server({ step: "folders" }) },
  { id: "server-folders/none", answers: () => ({ source_folders: () => [] }), go: server({ step: "folders" }) },
  { id: "server-folders/unreadable", answers: () => ({ source_folders: refuse("D07") }), go: server({ step: "folders" }) },
  {
    id: "server-folders/one-unreadable",
    answers: () => ({ source_folders: () => world.sourceFolders.map((one, index) => (index === 2 ? { ...one, problem: problem("D07") } : one)) }),
    go: server({ step: "folders" }),
  },
  {
    id: "server-folders/many",
    answers: () => ({
      source_folders: () =>
        Array.from({ length: 24 }, (_, index) => ({ ...(world.sourceFolders[0] as (typeof world.sourceFolders)[0]), path: `mail/Project ${index}`, name: `Project ${index}` })),
    }),
    go: server({ step: "folders" }),
  },
  { id: "server-internet/off", go: server({ step: "internet" }) },
  { id: "server-internet/on", go: server({ step: "internet", internet: true }) },
  { id: "server-internet/checking", answers: () => ({ check_internet: wait }), go: (session) => { server({ step: "internet", internet: true })(session); session.told({ host: "check", check: { id: "network", result: "ok", problem: null } }); } },
  ...(["N01", "N03", "N20", "N21", "N22"] as const).map((code) => ({
    id: `server-internet/${code}`,
    answers: (): Answers => ({
      check_internet: () => [
        { id: "network", result: code === "N01" ? "problem" : "ok", problem: code === "N01" ? problem(code) : null },
        { id: "local-firewall", result: "cannotTell", problem: problem("N24") },
        { id: "mapping", result: code === "N01" ? "skipped" : "problem", problem: code === "N01" ? null : problem(code) },
      ],
    }),
    go: server({ step: "internet" as const, internet: true }),
  })),
  { id: "server-password/suggested", go: server({ step: "password" }) },
  { id: "server-password/short", go: server({ step: "password", password: "short" }) },
  { id: "server-password/hidden", go: server({ step: "password", isPasswordShown: false, repeated: "other" }) },
  { id: "server-password/no-store", state: () => ({ passwordStore: "none" }), go: server({ step: "password" }) },
  { id: "server-password/locked", answers: () => ({ create_server: refuse("K01") }), go: server({ step: "password" }), press: [say("next")] },
  { id: "server-share/network", go: server({ step: "share", password: "" }) },
  { id: "server-share/internet", go: server({ step: "share", internet: true, password: "" }) },
  { id: "server-share/publishing", go: server({ step: "share", internet: true, password: "" }), press: [say("publish-open")] },
  {
    id: "server-share/directory-silent",
    answers: () => ({ publish: refuse("N02") }),
    go: server({ step: "share", internet: true, password: "" }),
    press: [say("publish-open"), say("publish")],
  },
  { id: "server-share/published", answers: () => ({ publication: () => world.published }), go: server({ step: "share", internet: true, password: "" }), press: [say("spell-out")] },
  { id: "server-share/revoke", answers: () => ({ publication: () => world.published }), go: server({ step: "share", internet: true, password: "" }), press: [say("revoke-open")] },
  { id: "server-share/revoking", answers: () => ({ publication: () => ({ ...world.published, state: "revoking" }) }), go: server({ step: "share", internet: true, password: "" }) },
  { id: "server-share/saved", go: server({ step: "share", password: "" }), press: [say("save-invitation"), say("make-link")] },

  { id: "client-server/found", answers: found, go: client({ step: "server" }) },
  { id: "client-server/looking", answers: () => ({ servers: wait, look_for_servers: wait }), go: client({ step: "server", server: null }) },
  { id: "client-server/none", go: client({ step: "server", server: null }) },
  {
    id: "client-server/twins",
    answers: () => ({ servers: () => [serverCards.lan, serverCards.twin], look_for_servers: () => [serverCards.lan, serverCards.twin] }),
    go: client({ step: "server" }),
  },
  { id: "client-server/connected-already", go: client({ step: "server", server: { ...serverCards.lan, isConnectedAlready: true } }) },
  { id: "client-server/by-id", go: client({ step: "server", server: null, isByInternet: true, typedId: "K7QF-2M9D" }) },
  { id: "client-server/unpublished", answers: () => ({ find_server: refuse("I02") }), go: client({ step: "server", isByInternet: true, typedId: "K7QF-2M9D-XH4R-8TWA" }), press: [say("find")] },
  { id: "client-server/offline", answers: () => ({ find_server: refuse("N01") }), go: client({ step: "server", isByInternet: true, typedId: "K7QF-2M9D-XH4R-8TWA" }), press: [say("find")] },
  { id: "client-password/lan", go: client({ step: "password" }) },
  { id: "client-password/invited", go: client({ step: "password", server: serverCards.invited }) },
  {
    id: "client-password/ticket-expired",
    go: (session) => client({ step: "password", server: { ...serverCards.invited, note: problem("V03") } })(session),
  },
  ...(["A01", "A02", "A03", "A04", "A07", "N04", "N05", "N07", "N08", "N11", "K01"] as const).map((code) => ({
    id: `client-password/${code}`,
    answers: () => ({ connect: refuse(code) }),
    go: client({ step: "password", password: "zebra" }),
    press: [say("connect")],
  })),
  {
    id: "client-password/connecting",
    answers: () => ({ connect: wait }),
    go: (session) => {
      client({ step: "password", password: "zebra" })(session);
    },
    press: [say("connect")],
  },
  { id: "client-folders/offered", go: client({ step: "folders" }) },
  { id: "client-folders/loading", answers: () => ({ server_folders: wait }), go: client({ step: "folders", wishes: null, source: null }) },
  { id: "client-folders/none", go: client({ step: "folders", wishes: [] }) },
  { id: "client-folders/broken-off", answers: () => ({ server_folders: refuse("S03") }), go: client({ step: "folders", wishes: null, source: null }) },
  { id: "client-folders/comparing", answers: () => ({ plan_first: wait }), go: client({ step: "folders" }), press: [say("next")] },
  { id: "client-folders/owner-asked", answers: () => ({ plan_first: refuse("A09") }), go: client({ step: "folders", mode: "takeClient" }), press: [say("next")] },
  { id: "client-preview/usual", go: client({ step: "preview", preview: world.preview }) },
  { id: "client-preview/same", go: client({ step: "preview", preview: world.samePreview }) },
  {
    id: "client-preview/take-over",
    go: client({ step: "preview", mode: "takeServer", preview: { ...world.preview, total: { ...world.preview.total, removedHere: 53 } } }),
  },
  { id: "client-preview/broken-off", answers: () => ({ start_first: refuse("S03") }), go: client({ step: "preview", preview: world.preview }), press: [say("preview-start")] },
  {
    id: "client-started/running",
    go: (session) => {
      client({ step: "started", preview: world.preview })(session);
      session.status = laptop({ word: "synchronizing", isQuiet: false })();
      session.told({ host: "progress", itemsDone: 312, itemsAll: 806, bytesDone: 3_400_000, secondsLeft: 70 });
    },
  },
  {
    id: "client-started/done",
    go: (session) => {
      client({ step: "started", preview: world.preview })(session);
      session.status = laptop({ conflicts: 3, word: "needsDecision" })();
    },
  },

  {
    id: "client-started/take-back",
    state: as("client"),
    go: (session) => {
      client({ step: "started", preview: world.preview })(session);
      session.status = laptop({})();
    },
    press: [say("take-back-open")],
  },
  {
    id: "client-started/taken-back",
    state: as("client"),
    go: (session) => {
      client({ step: "started", preview: world.preview })(session);
      session.status = laptop({})();
    },
    press: [say("take-back-open"), say("take-back-yes")],
  },
  {
    id: "client-started/not-taken-back",
    state: as("client"),
    answers: () => ({ disconnect: refuse("D03") }),
    go: (session) => {
      client({ step: "started", preview: world.preview })(session);
      session.status = laptop({})();
    },
    press: [say("take-back-open"), say("take-back-yes")],
  },

  { id: "overview/calm", state: as("server") },
  { id: "overview/client", state: as("client") },
  { id: "overview/fresh", state: as("server"), answers: () => ({ history: () => ({ runs: [], entries: [], isMore: false }), traffic: () => [], status: status({ isReading: true, isQuiet: false }) }) },
  { id: "overview/decide", state: as("server"), go: waitingHost },
  { id: "overview/updated", state: () => ({ ...as("server")(), updatedFrom: "0.0.9", hasTray: false }) },
  {
    id: "overview/synchronizing",
    state: as("client"),
    answers: () => ({ status: laptop({ word: "synchronizing", isQuiet: false }) }),
    go: (session) => session.told({ host: "progress", itemsDone: 312, itemsAll: 806, bytesDone: 3_400_000, secondsLeft: 70 }),
  },
  { id: "overview/paused", state: as("client"), answers: () => ({ status: laptop({ word: "paused", pausedUntil: 1_800_000_000 }) }) },
  { id: "overview/waiting", state: as("client"), answers: () => ({ status: () => laptop({ word: "waiting", isConnected: false, problem: problem("N04") })() }) },
  { id: "overview/offline", state: as("client"), answers: () => ({ status: () => laptop({ word: "offline", isConnected: false, problem: problem("N01") })() }) },
  ...(["K01", "K05", "D01", "D02", "S02", "S04", "S06", "S09"] as const).map((code) => ({
    id: `overview/${code}`,
    state: as("server"),
    answers: (): Answers => ({ status: () => status({ word: "problem", problem: problem(code) })() }),
  })),
  { id: "overview/problem", state: as("server"), answers: () => ({ status: () => status({ word: "problem", problem: problem("D03") })() }) },
  { id: "overview/removed", state: as("client"), answers: () => ({ status: () => laptop({ word: "problem", isConnected: false, problem: problem("A03") })() }) },
  { id: "overview/unanswered", state: as("server"), answers: () => ({ status: refuse("C12") }) },
  { id: "overview/close-asked", state: as("server"), go: (session) => session.told({ host: "closeAsked", hasTray: true, connected: 2, quits: false }) },
  { id: "overview/close-asked-no-tray", state: as("client"), go: (session) => session.told({ host: "closeAsked", hasTray: false, connected: 0, quits: false }) },
  { id: "overview/quit-asked", state: as("server"), go: (session) => session.told({ host: "closeAsked", hasTray: true, connected: 2, quits: true }) },
  {
    id: "overview/dropped",
    state: as("client"),
    go: (session) => (session.opened = { file: "Office PC.tandem", server: serverCards.invited, problem: null, leftAlone: 0 }),
  },
  { id: "folders/usual", state: as("client"), go: page("folders") },
  { id: "folders/server", state: as("server"), go: page("folders") },
  { id: "folders/going", state: as("client"), answers: () => ({ folders: () => world.goingFolders }), go: page("folders") },
  { id: "folders/chosen", state: as("client"), answers: () => ({ folders: () => world.chosenFolders }), go: page("folders") },
  {
    id: "folders/remove",
    state: as("client"),
    go: page("folders"),
    press: [say("folder-remove-name", { folder: "Inbox" })],
  },
  { id: "folders/none", state: as("client"), answers: () => ({ folders: () => [] }), go: page("folders") },
  { id: "folders/loading", state: as("client"), answers: () => ({ folders: wait }), go: page("folders") },
  ...(["atServer", "here", "emptied", "deletedElsewhere", "reverted"] as const).map((waits) => ({
    id: `folders/held-${waits}`,
    state: as("client"),
    answers: (): Answers => ({ held: () => world.held().map((one) => ({ ...one, waits, problem: heldProblem(waits) })), status: laptop({ word: "needsDecision", held: 403 }) }),
    go: page("folders"),
  })),
  {
    id: "folders/held-sure",
    state: as("client"),
    answers: () => ({ held: world.held, status: laptop({ word: "needsDecision", held: 403 }) }),
    go: page("folders"),
    press: [say("held-allow-deleted")],
  },
  { id: "conflicts/none", state: as("client"), go: page("conflicts") },
  { id: "conflicts/loading", state: as("client"), answers: () => ({ conflicts: wait }), go: page("conflicts") },
  { id: "conflicts/some", state: as("client"), go: waitingAt("conflicts") },
  { id: "conflicts/compare", state: as("client"), go: waitingAt("conflicts"), press: [say("compare-of", { title: "Dentist" })] },
  {
    id: "conflicts/opaque",
    state: as("client"),
    answers: () => ({ conflicts: () => world.conflicts.slice(0, 1).map((one) => ({ ...one, note: problem("D10") })) }),
    go: page("conflicts"),
    press: [say("compare-of", { title: "Dentist" })],
  },
  { id: "conflicts/decided", state: as("client"), go: waitingAt("conflicts"), press: [say("compare-of", { title: "Dentist" }), say("keep-both")] },
  { id: "activity/none", state: as("client"), answers: () => ({ history: () => ({ runs: [], entries: [], isMore: false }) }), go: page("activity") },
  { id: "activity/usual", state: as("client"), go: page("activity") },
  { id: "activity/ten-thousand", state: as("client"), answers: () => ({ history: world.tenThousand }), go: page("activity"), press: [say("run-added", { n: 10_000 })] },
  { id: "activity/open", state: as("client"), go: page("activity"), press: [say("run-added", { n: 2 })] },
  { id: "activity/first", state: as("client"), go: page("activity"), press: [say("take-back-open")] },
  { id: "activity/left", state: as("client"), answers: () => ({ undo: () => ({ undone: 1, left: ["Dentist"] }) }), go: page("activity"), press: [say("undo-run")] },
  { id: "activity/saved", state: as("client"), go: page("activity"), press: [say("save-table")] },
  { id: "activity/gone", state: as("client"), answers: () => ({ undo: refuse("C10") }), go: page("activity"), press: [say("undo-run")] },
  { id: "devices/server", state: as("server"), go: page("devices") },
  { id: "devices/published", state: as("server"), answers: () => ({ publication: () => world.published }), go: page("devices") },
  {
    id: "devices/ways",
    state: as("server"),
    answers: () => ({ devices: () => world.devices.map((one, index) => (index === 1 ? { ...one, isConnected: true, path: "relayed" } : one)) }),
    go: page("devices"),
  },
  { id: "devices/alone", state: as("server"), answers: () => ({ devices: () => [] }), go: page("devices") },
  { id: "devices/client", state: as("client"), go: page("devices") },
  { id: "devices/rename", state: as("server"), go: page("devices"), press: [say("device-rename-name", { name: "Laptop" })] },
  { id: "devices/remove", state: as("server"), go: page("devices"), press: [say("device-remove-name", { name: "Laptop" })] },
  { id: "devices/releases", state: as("server"), go: page("devices"), press: [say("releases-name", { name: "Laptop" })] },
  ...(["general", "notifications", "internet", "password", "conflicts", "backup", "privacy", "advanced"] as const).map((section) => ({
    id: `settings/${section}`,
    state: as("server"),
    go: settings(section),
  })),
  { id: "settings/internet-client", state: as("client"), go: settings("internet") },
  {
    id: "settings/internet-details",
    state: as("server"),
    answers: () => ({
      settings: () => ({ ...world.settings, uploadBytesPerSecMax: 300_000 }),
      relay: () => ({ ...world.relay, address: "relay.example.org:3478", user: "office", state: "refused", problem: problem("N35") }),
      publication: () => world.published,
    }),
    go: settings("internet"),
    isUnfolded: true,
  },
  { id: "settings/not-writable", state: as("server"), go: (session) => { settings("general")(session); session.attempt.problem = problem("C01"); } },
  { id: "settings/restart", state: as("client"), answers: () => ({ settings: () => ({ ...world.settings, needsRestart: true }) }), go: settings("internet") },
  { id: "settings/backup-elsewhere", state: as("server"), go: settings("backup"), press: [say("backup-elsewhere")] },
  { id: "settings/backup-not-there", state: as("server"), answers: () => ({ choose_backup_place: refuse("C19") }), go: settings("backup"), press: [say("backup-elsewhere")] },
  { id: "settings/exported", state: as("client"), go: settings("advanced"), press: [say("settings-export")] },
  { id: "settings/not-imported", state: as("client"), answers: () => ({ import_settings: refuse("C02") }), go: settings("advanced"), press: [say("settings-import")] },
  { id: "settings/empty-backup", state: as("server"), go: settings("backup"), press: [say("backup-empty")] },
  {
    id: "settings/disconnected-offline",
    state: as("server"),
    answers: () => ({
      disconnect: () => ({ state: { ...world.hostState, stage: { at: "firstStart" } }, takenBack: null, stays: problem("I06") }),
    }),
    go: settings("advanced"),
    press: [say("leave-server-open"), say("leave-server-yes")],
  },
  { id: "settings/disconnect", state: as("client"), go: settings("advanced"), press: [say("leave-client-open")] },
  { id: "settings/removed", state: as("server"), go: settings("advanced"), press: [say("remove-open"), say("remove-yes")] },
  { id: "settings/password-looked-up", state: as("server"), go: settings("password"), press: [say("password-look")] },
  { id: "check/fine", state: as("server"), go: page("check") },
  { id: "check/checking", state: as("client"), answers: () => ({ doctor: wait }), go: page("check") },
  {
    id: "check/silent",
    state: as("client"),
    answers: () => ({
      status: laptop({ word: "waiting", isConnected: false }),
      doctor: () => [
        { id: "network", result: "ok", problem: null },
        { id: "own-internet-switch", result: "ok", problem: null },
        { id: "findable", result: "cannotTell", problem: null },
        { id: "server-online", result: "problem", problem: problem("N04") },
        { id: "server-key", result: "skipped", problem: null },
        { id: "version", result: "skipped", problem: null },
        { id: "access", result: "skipped", problem: null },
        { id: "data-readable", result: "ok", problem: null },
      ],
    }),
    go: page("check"),
  },
  {
    id: "check/firewall",
    state: as("server"),
    answers: () => ({
      doctor: () => [
        { id: "network", result: "ok", problem: null },
        { id: "local-firewall", result: "problem", problem: problem("N23", { program: "ufw", port: "41234" }) },
        { id: "data-readable", result: "ok", problem: null },
      ],
    }),
    go: page("check"),
  },
  { id: "check/report", state: as("server"), go: page("check"), press: [say("report-look")] },
  { id: "log/usual", state: as("server"), go: page("log") },
  { id: "log/empty", state: as("server"), answers: () => ({ log: () => [] }), go: page("log") },
  { id: "about/usual", state: as("server"), go: page("about") },
  { id: "help/start", state: as("server"), go: (session) => session.openHelp() },
  { id: "help/update", state: as("server"), go: page("about"), press: [say("about-update")] },
  { id: "help/message", state: as("server"), go: (session) => session.openHelp("N04") },
  { id: "samples/usual", go: (session) => (session.screen = "samples") },
  { id: "samples/cut", go: (session) => (session.screen = "samples"), press: [say("samples-cut")] },
  {
    id: "samples/found",
    go: (session) => (session.screen = "samples"),
    press: [say("samples-publish-do"), say("samples-look-up")],
  },
  {
    id: "samples/revoked",
    go: (session) => (session.screen = "samples"),
    press: [say("samples-publish-do"), say("samples-revoke"), say("samples-look-up")],
  },
  { id: "samples/starting", answers: () => ({ start_samples: wait }), go: (session) => (session.screen = "samples") },
  { id: "messages/all", page: Messages },
  { id: "stopped/key-gone", state: stopped(() => ({ at: "stopped", role: "server", problem: problem("K03") })) },
  { id: "stopped/unreadable", state: stopped(() => ({ at: "unreadable", problem: problem("C02", { line: 3 }) })) },
];

function waitingHost(session: Session, host: FakeHost): Promise<void> {
  host.answer(host.waiting);
  return session.refresh();
}
function waitingAt(to: Page) {
  return async (session: Session, host: FakeHost): Promise<void> => {
    await waitingHost(session, host);
    session.page = to;
  };
}
