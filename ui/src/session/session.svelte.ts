/** What the window knows and shows: the host's state, the running instance's, and where the person is. */
import { createContext, untrack } from "svelte";
import * as clientSteps from "../client/steps.ts";
import type { ChangeSettings } from "../ipc/bindings/ChangeSettings.ts";
import type { Check } from "../ipc/bindings/Check.ts";
import type { ConflictView } from "../ipc/bindings/ConflictView.ts";
import type { ConnectStage } from "../ipc/bindings/ConnectStage.ts";
import type { DataSource } from "../ipc/bindings/DataSource.ts";
import type { DeviceView } from "../ipc/bindings/DeviceView.ts";
import type { Event as InstanceEvent } from "../ipc/bindings/Event.ts";
import type { FolderView } from "../ipc/bindings/FolderView.ts";
import type { HeldView } from "../ipc/bindings/HeldView.ts";
import type { HostEvent } from "../ipc/bindings/HostEvent.ts";
import type { HostState } from "../ipc/bindings/HostState.ts";
import type { Opened } from "../ipc/bindings/Opened.ts";
import type { ProblemView } from "../ipc/bindings/ProblemView.ts";
import type { RunView } from "../ipc/bindings/RunView.ts";
import type { ServerCard } from "../ipc/bindings/ServerCard.ts";
import type { SettingsView } from "../ipc/bindings/SettingsView.ts";
import type { Status } from "../ipc/bindings/Status.ts";
import type { UndoAnswer } from "../ipc/bindings/UndoAnswer.ts";
import type { TrafficHour } from "../ipc/bindings/TrafficHour.ts";
import { asProblem, type Client } from "../ipc/index.ts";
import { announce } from "../parts/live.svelte.ts";
import * as serverSteps from "../server/steps.ts";
import { isLanguage, t, use } from "../words/words.svelte.ts";

export const pages = ["overview", "folders", "conflicts", "activity", "devices", "settings"] as const;
export type Page = (typeof pages)[number] | "check" | "log" | "about";
/** `first` is the question what this computer is; `main` the window of one that is set up. */
export type Screen = "first" | "server" | "client" | "main" | "samples" | "stopped";

export type SettingsSection =
  | "general"
  | "notifications"
  | "internet"
  | "password"
  | "conflicts"
  | "backup"
  | "privacy"
  | "advanced";

type Progress = Extract<HostEvent, { host: "progress" }>;
type CloseAsked = Extract<HostEvent, { host: "closeAsked" }>;
type Hovering = Extract<HostEvent, { host: "hovering" }>;

export const [session, provideSession] = createContext<Session>();

/** What happened when something was tried: nothing yet, under way, or what stands in the way. */
export class Attempt {
  isBusy = $state(false);
  problem = $state.raw<ProblemView | null>(null);

  /** Tries something. What stands in the way is kept to be shown, and the answer is `undefined`. */
  async run<T>(work: () => Promise<T>): Promise<T | undefined> {
    // Whoever tries something in an effect doesn't mean to try again when it is done.
    if (untrack(() => this.isBusy)) return undefined;
    this.isBusy = true;
    this.problem = null;
    try {
      return await work();
    } catch (thrown) {
      this.problem = asProblem(thrown, unexpected);
      return undefined;
    } finally {
      this.isBusy = false;
    }
  }
}

/** C13: shown for what nobody foresaw. The only message the page words itself, because nobody else could. */
const unexpected = (): ProblemView => ({
  code: "C13",
  headline: t("unexpected"),
  message: t("unexpected-text"),
  action: t("unexpected-action"),
  facts: {},
});

export class Session {
  host = $state.raw<HostState | null>(null);
  settings = $state.raw<SettingsView | null>(null);
  status = $state.raw<Status | null>(null);
  folders = $state.raw<readonly FolderView[] | null>(null);
  held = $state.raw<readonly HeldView[]>([]);
  conflicts = $state.raw<readonly ConflictView[] | null>(null);
  devices = $state.raw<readonly DeviceView[] | null>(null);
  runs = $state.raw<readonly RunView[] | null>(null);
  traffic = $state.raw<readonly TrafficHour[]>([]);
  progress = $state.raw<Progress | null>(null);

  servers = $state.raw<readonly ServerCard[] | null>(null);
  sources = $state.raw<readonly DataSource[] | null>(null);
  /** Something to know about the server that was just made. */
  createdNote = $state.raw<ProblemView | null>(null);
  /** What is left for a while of the server this computer was. */
  stays = $state.raw<ProblemView | null>(null);
  /** What went back when a first synchronization was taken back. */
  takenBack = $state.raw<UndoAnswer | null>(null);
  connecting = $state.raw<ConnectStage | null>(null);
  /** The steps of the connection check that are known so far. */
  rungs = $state.raw<readonly Check[]>([]);

  screen = $state<Screen>("first");
  page = $state<Page>("overview");
  server = $state.raw(serverSteps.begin(""));
  client = $state.raw(clientSteps.begin);
  settingsAt = $state<SettingsSection>("general");
  /** What the desktop says, which the web view often doesn't know. */
  systemIsDark = $state<boolean | null>(null);
  /** Where the help opens, as `page/anchor`. */
  helpAt = $state("quick-start/");
  isHelpOpen = $state(false);
  closeAsked = $state.raw<CloseAsked | null>(null);
  hovering = $state.raw<Hovering | null>(null);
  /** What was opened or dropped and leads nowhere, or somewhere else than the person is going. */
  opened = $state.raw<Opened | null>(null);
  isUpdateShown = $state(true);
  /** Counts changes of the sample computers. */
  samplesChanged = $state(0);
  areKeysShown = $state(false);

  /** Loading, and what the status strip does. */
  readonly attempt = new Attempt();
  /** Looking for data on this computer. */
  readonly looking = new Attempt();

  constructor(readonly ipc: Client) {}

  async open(): Promise<void> {
    await this.ipc.listen((event) => this.told(event));
    await this.attempt.run(async () => {
      const [host, settings] = await Promise.all([this.ipc.call("host_state"), this.ipc.call("settings")]);
      this.settings = settings;
      this.server = serverSteps.begin(host.computerName);
      await this.arrive(host);
    });
    await this.takeOpened();
  }

  /** Goes where this computer stands. */
  async arrive(host: HostState): Promise<void> {
    this.know(host);
    switch (host.stage.at) {
      case "firstStart":
        this.screen = "first";
        await Promise.all([this.lookForSources(), this.lookForServers("servers")]);
        break;
      case "joining":
        this.client = clientSteps.next(this.client, { event: "connected", server: host.stage.server });
        this.screen = "client";
        break;
      case "running":
        this.screen = "main";
        await this.refresh();
        break;
      case "stopped":
      case "unreadable":
        this.screen = "stopped";
        break;
    }
  }

  know(host: HostState): void {
    this.host = host;
    if (isLanguage(host.language)) use(host.language);
  }

  /** Asks for everything the main window shows. */
  async refresh(): Promise<void> {
    const { call } = this.ipc;
    const [status, folders, held, conflicts, devices, history, traffic] = await Promise.all([
      call("status"),
      call("folders"),
      call("held"),
      call("conflicts"),
      this.isServer() ? call("devices") : Promise.resolve([]),
      call("history", { run: null }),
      call("traffic"),
    ]);
    Object.assign(this, { status, folders, held, conflicts, devices, runs: history.runs, traffic });
  }

  async lookForSources(): Promise<void> {
    this.sources = (await this.looking.run(() => this.ipc.call("data_sources"))) ?? [];
  }

  /** `servers`: those known now; `look_for_servers`: looks again, which takes a few seconds. */
  async lookForServers(how: "servers" | "look_for_servers"): Promise<void> {
    if (how === "look_for_servers") this.servers = null;
    const servers = await this.ipc.call(how).catch((): ServerCard[] => []);
    this.knowServers(servers);
  }

  isServer = (): boolean => this.host?.stage.at === "running" && this.host.stage.role === "server";

  told(event: HostEvent): void {
    switch (event.host) {
      case "state":
        this.know(event.state);
        break;
      case "instance":
        this.#toldByInstance(event.event);
        break;
      case "missed":
        void this.attempt.run(() => this.refresh());
        break;
      case "progress":
        this.progress = event;
        break;
      case "connecting":
        this.connecting = event.stage;
        break;
      case "servers":
        this.knowServers(event.servers);
        break;
      case "opened":
        void this.takeOpened();
        break;
      case "hovering":
        this.hovering = event.files.length > 0 ? event : null;
        break;
      case "page":
        this.openPage(event.page);
        break;
      case "closeAsked":
        this.closeAsked = event;
        break;
      case "systemIsDark":
        this.systemIsDark = event.isDark;
        break;
      case "samples":
        this.samplesChanged += 1;
        break;
      case "check":
        this.knowRung(event.check);
        break;
    }
  }

  #toldByInstance(event: InstanceEvent): void {
    if (event.event === "status") {
      const before = this.status;
      this.status = event.status;
      if (!before || before.word !== event.status.word) {
        announce(t(`word-${event.status.word}`, { server: event.status.serverName }));
      }
      if (event.status.isQuiet) this.progress = null;
      // Counts that differ mean lists that differ.
      if (!before || before.isQuiet !== event.status.isQuiet || before.conflicts !== event.status.conflicts ||
        before.held !== event.status.held || before.isConnected !== event.status.isConnected) {
        void this.attempt.run(() => this.refresh());
      }
    } else if (event.event === "check") {
      this.knowRung(event.check);
    } else if (event.event === "conflict" || event.event === "held") {
      void this.attempt.run(() => this.refresh());
    }
  }

  knowRung(check: Check): void {
    this.rungs = [...this.rungs.filter((known) => known.id !== check.id), check];
  }

  /** Looks at everything now, here and at the other computer. */
  async syncNow(): Promise<void> {
    const status = await this.attempt.run(() => this.ipc.call("sync_now"));
    if (!status) return;
    this.status = status;
    await this.attempt.run(() => this.refresh());
  }

  knowServers(servers: readonly ServerCard[]): void {
    this.servers = servers;
    this.client = clientSteps.next(this.client, { event: "servers", servers });
  }

  /** Takes what was opened or dropped, wherever the person is. */
  async takeOpened(): Promise<void> {
    const opened = (await this.ipc.call("take_opened").catch((): Opened[] => []))[0];
    if (!opened) return;
    const isUnderWay = (this.screen === "client" && this.client.password !== "") || this.screen === "server";
    // Input is replaced only after a question; a computer that has its server is only told.
    if (!opened.server || opened.problem || opened.server.isConnectedAlready || isUnderWay || this.screen === "main") {
      this.opened = opened;
    } else {
      this.connectTo(opened.server);
    }
  }

  connectTo(server: ServerCard): void {
    this.opened = null;
    this.client = clientSteps.next({ ...this.client, step: "server" }, { event: "arrived", server });
    this.screen = "client";
  }

  /** Asks for an invitation file in the system's own dialog. */
  async openInvitation(): Promise<void> {
    const server = await this.attempt.run(() => this.ipc.call("choose_invitation"));
    if (!server) return;
    if (server.isConnectedAlready) this.opened = { file: null, server, problem: null, leftAlone: 0 };
    else this.connectTo(server);
  }

  /** Stops being a server or a client. `takesBack`: with what was here before the first synchronization. */
  async disconnect(takesBack: boolean): Promise<boolean> {
    try {
      const left = await this.ipc.call("disconnect", { takesBack });
      this.stays = left.stays;
      this.takenBack = left.takenBack;
      this.client = clientSteps.begin;
      await this.arrive(left.state);
      if (left.takenBack) announce(t("taken-back", { n: left.takenBack.undone }));
      return true;
    } catch (problem) {
      // It may have come to half of it.
      await this.arrive(await this.ipc.call("host_state"));
      throw problem;
    }
  }

  async quit(): Promise<void> {
    await this.attempt.run(() => this.ipc.call("close_window", { quits: true, isRemembered: false }));
  }

  readonly send = {
    server: (event: serverSteps.Event): void => {
      this.server = serverSteps.next(this.server, event);
    },
    client: (event: clientSteps.Event): void => {
      this.client = clientSteps.next(this.client, event);
    },
  };

  openPage(page: string): void {
    if (this.screen !== "main") return;
    if (page === "invite") this.page = "devices";
    else if (page === "help") this.openHelp();
    else if ((pages as readonly string[]).includes(page)) this.page = page as Page;
  }

  openHelp(code?: string): void {
    this.openHelpAt(code ? `troubleshooting/${code}` : "quick-start/");
  }

  /** `page/anchor`. */
  openHelpAt(place: string): void {
    this.helpAt = place;
    this.isHelpOpen = true;
  }

  /** Changes settings at once. Whether it worked is the answer. */
  async change(what: Partial<ChangeSettings>): Promise<boolean> {
    const request = what as ChangeSettings;
    const changed = await this.attempt.run(() => this.ipc.call("change_settings", request));
    if (changed) this.settings = changed;
    return changed !== undefined;
  }

  async speak(language: string): Promise<void> {
    if (!isLanguage(language)) return;
    use(language);
    await this.change({ language });
  }

  async pause(minutes: number | null): Promise<void> {
    const status = await this.attempt.run(() => this.ipc.call("pause", { minutes }));
    if (status) this.status = status;
  }

  async resume(): Promise<void> {
    const status = await this.attempt.run(() => this.ipc.call("resume"));
    if (status) this.status = status;
  }
}
