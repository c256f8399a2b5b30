/** A host that makes everything up: for the robot, for the gallery, and for working on screens without the rest. */
import type { HostEvent } from "../ipc/bindings/HostEvent.ts";
import type { HostState } from "../ipc/bindings/HostState.ts";
import type { AnswerOf, CommandName, Host, RequestOf } from "../ipc/index.ts";
import { problem } from "./problems.ts";
import * as world from "./world.ts";

/** What one command answers in one scene: always the same, or depending on what it is asked. */
export type Answers = { [K in CommandName]?: (request: RequestOf<K>) => AnswerOf<K> | Promise<AnswerOf<K>> };

/** Refuses a command, with the message of this code. */
export const refuse = (code: string, facts?: Record<string, string | number>) => (): never => {
  throw problem(code, facts);
};
/** Never answers: how a screen looks while it waits. */
export const wait = (): Promise<never> => new Promise(() => undefined);

const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const nothing = {} as Record<symbol, never>;

export class FakeHost implements Host {
  readonly calls: { name: string; request: unknown }[] = [];
  #tell: (event: HostEvent) => void = () => undefined;
  #state: HostState;
  #settings = world.settings;
  #publication = world.publication;
  #conflicts = world.conflicts;
  #held = world.held();
  #samples = world.samples;
  #answers: Answers;

  constructor(answers: Answers = {}, state: HostState = world.hostState) {
    this.#answers = answers;
    this.#state = state;
  }

  listen(tell: (event: HostEvent) => void): Promise<void> {
    this.#tell = tell;
    return Promise.resolve();
  }

  /** From now on these are the answers. */
  answer(answers: Answers): void {
    this.#answers = { ...this.#answers, ...answers };
  }

  tell(event: HostEvent): void {
    this.#tell(event);
  }

  async call(name: string, request: unknown): Promise<unknown> {
    this.calls.push({ name, request });
    const own = (this.#answers as Record<string, (request: unknown) => unknown>)[name];
    const usual = (this.#usual as Record<string, (request: unknown) => unknown>)[name];
    const answer = own ?? usual;
    if (!answer) throw problem("C11", { reason: name });
    return structuredClone(await answer(request));
  }

  #become(role: "server" | "client"): HostState {
    this.#state = { ...this.#state, stage: { at: "running", role, isAttached: false } };
    return this.#state;
  }

  get #status() {
    const role = this.#state.stage.at === "running" ? this.#state.stage.role : "server";
    return { ...world.status, role, name: role === "server" ? "Office PC" : "Laptop" };
  }

  readonly #usual: Answers = {
    host_state: () => this.#state,
    try_again: () => this.#state,
    settings: () => this.#settings,
    change_settings: (change) => (this.#settings = { ...this.#settings, ...change }),
    reset_settings: () => (this.#settings = world.settings),
    data_sources: () => [world.sources.outlook, world.sources.folder],
    choose_folder: () => world.sources.folder,
    new_folder: () => world.sources.fresh,
    join_sources: () => world.sources.several,
    source_folders: () => world.sourceFolders,
    choose_data_file: () => world.dataFile,
    import_data_file: () => ({ ...world.dataFile, source: world.sources.folder }),
    import_source: () => ({ source: world.sources.folder, added: 12, present: 0, refused: [] }),
    suggest_password: () => ({ password: "zebra-anchor-mild-otter-lamp" }),
    judge_password: ({ password }) => {
      const length = password.length;
      const verdict = length < 12 ? "tooShort" : length < 16 ? "weak" : length < 22 ? "good" : "strong";
      const isEnough = length >= 16;
      const word = { tooShort: "Too short", weak: "Weak", good: "Good", strong: "Strong" }[verdict];
      return { verdict, word, reason: isEnough ? null : "…", guessesLog10: length, isEnough };
    },
    check_internet: () => [
      { id: "network", result: "ok", problem: null },
      { id: "local-firewall", result: "ok", problem: null },
      { id: "gateway", result: "ok", problem: null },
      { id: "mapping", result: "ok", problem: null },
    ],
    create_server: ({ internet }) => {
      this.#become("server");
      return { status: { ...this.#status, internet }, note: null };
    },
    show_password: () => ({ password: "zebra-anchor-mild-otter-lamp" }),
    save_invitation: () => ({ path: "/home/anna/Office PC.tandem" }),
    invitation_link: () => ({
      file: "{}",
      link: "tandem:join?v=1&s=7QF2M9DXH4R8TWA",
      fileName: "Office PC.tandem",
      hints: [],
      ticketExpires: null,
    }),
    write_mail: () => nothing,
    servers: () => [],
    look_for_servers: () => [],
    forget_server: () => [],
    read_invitation: () => world.serverCards.invited,
    choose_invitation: () => world.serverCards.invited,
    find_server: () => world.serverCards.byId,
    check_server_id: ({ text }) => {
      const id = [...text.toUpperCase().replace(/O/g, "0").replace(/[IL]/g, "1")].filter((one) => alphabet.includes(one)).join("");
      const shown = id.match(/.{1,4}/g)?.join("-") ?? "";
      if (id.length < 16) return { serverId: shown, problem: problem("I05", { found: id.length }), suspect: null, isIncomplete: true };
      const isRight = id === world.published.serverId;
      return { serverId: shown, problem: isRight ? null : problem("I01"), suspect: null, isIncomplete: false };
    },
    take_opened: () => [],
    connect: ({ password, server }) => {
      if (password === "wrong") throw problem("A01");
      const card = Object.values(world.serverCards).find((one) => one.id === server) ?? world.serverCards.lan;
      this.#state = { ...this.#state, stage: { at: "joining", server: card } };
      return this.#state;
    },
    server_folders: () => ({ server: world.serverCards.lan, folders: world.offered }),
    plan_first: () => world.preview,
    start_first: () => {
      this.#become("client");
      return this.#status;
    },
    save_preview: () => ({ path: "/home/anna/Preview.txt" }),
    disconnect: ({ takesBack }) => {
      this.#state = { ...this.#state, stage: { at: "firstStart" } };
      return { state: this.#state, stays: null, takenBack: takesBack ? { undone: 12, left: ["Dentist"] } : null };
    },
    remove_tandem: () => ({ removed: ["Key", "Settings"], data: ["/home/anna/Tandem"], problems: [] }),
    traffic: () => world.traffic,
    open_place: () => nothing,
    about: () => ({
      version: "0.1.0",
      platform: "linux x86_64",
      settingsFolder: "/home/anna/.config/tandem",
      logsFolder: "/home/anna/.local/state/tandem/log",
      data: ["/home/anna/Tandem"],
      licence: "MIT OR Apache-2.0",
      hasThirdParty: true,
    }),
    log: () => [
      { at: "2026-11-26T14:31:25Z", level: "info", text: "connected items=312" },
      { at: "2026-11-26T14:31:29Z", level: "warn", text: "the link broke off; trying again" },
    ],
    report: () => ({ text: "Tandem 0.1.0, linux\ncomputer A: server, up to date\nnetwork: ok\n" }),
    save_history: () => ({ path: "/home/anna/tandem-history.csv" }),
    export_settings: () => ({ path: "/home/anna/tandem-settings.json" }),
    import_settings: () => this.#settings,
    choose_backup_place: ({ isAsMade }) => {
      const backupPlace = isAsMade ? world.settings.backupPlace : "/media/anna/Disk/tandem-versions-0123456789abcdef";
      this.#settings = { ...this.#settings, backupPlace, isBackupElsewhere: !isAsMade };
      return this.#settings;
    },
    save_report: () => ({ path: "/home/anna/Report.txt" }),
    close_window: () => nothing,
    start_samples: () => this.#samples,
    samples: () => this.#samples,
    sample_do: (action) => (this.#samples = world.samplesAfter(this.#samples, action)),
    sample_call: ({ command, request }) => this.call(command, request),
    remove_samples: () => this.#state,

    status: () => ({ ...this.#status, held: 0, conflicts: 0 }),
    folders: () => world.folders,
    set_folder: () => nothing,
    pause_folder: () => nothing,
    release_folder: () => nothing,
    held: () => [],
    decide_held: () => {
      this.#held = [];
      return nothing;
    },
    conflicts: () => [],
    conflict: () => world.conflict,
    resolve_conflict: ({ id }) => {
      this.#conflicts = this.#conflicts.filter((one) => one.id !== id);
      return nothing;
    },
    history: ({ run }) => (run === null ? { runs: world.runs, entries: [], isMore: false } : { runs: [], entries: world.entries, isMore: false }),
    undo: () => ({ undone: 12, left: [] }),
    devices: () => world.devices,
    rename_device: () => nothing,
    remove_device: () => nothing,
    allow_device: () => nothing,
    allow_take_over: () => nothing,
    add_window: () => nothing,
    open_door: () => nothing,
    set_password: () => nothing,
    pause: ({ minutes }) => ({
      ...this.#status,
      word: "paused",
      pausedUntil: minutes === null ? 0 : Math.floor(Date.now() / 1000) + minutes * 60,
    }),
    resume: () => this.#status,
    sync_now: () => this.#status,
    set_internet: () => this.#status,
    empty_backup: () => ({ ...this.#settings, backupBytes: 0 }),
    doctor: () => [
      { id: "network", result: "ok", problem: null },
      { id: "data-readable", result: "ok", problem: null },
    ],
    relay: () => world.relay,
    set_relay: ({ address, user }) => ({ ...world.relay, address: address ?? null, user: user ?? null, state: address ? "ready" : null }),
    rendezvous: () => [world.switchboard],
    set_rendezvous: ({ rendezvous }) => rendezvous.map((one) => ({ rendezvous: one, observed: [] })),
    publication: () => this.#publication,
    publish: ({ name, comment }) => (this.#publication = { ...world.published, name: name ?? "Office PC", comment }),
    revoke: () => (this.#publication = world.publication),
  };

  /** The conflicts and stopped deletions of the made-up office, which are decided one after the other. */
  readonly waiting: Answers = {
    status: () => ({
      ...this.#status,
      word: this.#conflicts.length + this.#held.length > 0 ? "needsDecision" : "upToDate",
      conflicts: this.#conflicts.length,
      held: this.#held.length,
    }),
    conflicts: () => this.#conflicts,
    held: () => this.#held,
  };
}
