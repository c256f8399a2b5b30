/** The steps that connect this computer to a server, as values: pages draw a state and send events. */
import type { ConflictRuleView } from "../ipc/bindings/ConflictRuleView.ts";
import type { DataSource } from "../ipc/bindings/DataSource.ts";
import type { Direction } from "../ipc/bindings/Direction.ts";
import type { FirstMode } from "../ipc/bindings/FirstMode.ts";
import type { PlanFirst } from "../ipc/bindings/PlanFirst.ts";
import type { Preview } from "../ipc/bindings/Preview.ts";
import type { ServerCard } from "../ipc/bindings/ServerCard.ts";
import type { ServerFolder } from "../ipc/bindings/ServerFolder.ts";

/** `started` is no step any more: the first synchronization runs. */
export const steps = ["server", "password", "folders", "preview", "started"] as const;
export type Step = (typeof steps)[number];
/** A folder of the server with what is to happen to it. */
export type Wish = ServerFolder & { readonly direction: Direction; readonly here: string | null };

export type State = {
  readonly step: Step;
  readonly server: ServerCard | null;
  /** Whether the field for a server ID is open. */
  readonly isByInternet: boolean;
  readonly typedId: string;
  readonly directory: string;
  /** "Synchronize via the Internet"; `null`: as the server needs it. */
  readonly internet: boolean | null;
  readonly password: string;
  readonly isRemembered: boolean;
  readonly source: DataSource | null;
  /** `null`: the server's list isn't there yet. */
  readonly wishes: readonly Wish[] | null;
  readonly mode: FirstMode;
  readonly conflicts: ConflictRuleView;
  readonly preview: Preview | null;
};

export type Event =
  | { event: "servers"; servers: readonly ServerCard[] }
  | { event: "server"; server: ServerCard }
  | { event: "arrived"; server: ServerCard }
  | { event: "byInternet" }
  | { event: "typedId"; text: string }
  | { event: "directory"; text: string }
  | { event: "internet"; on: boolean }
  | { event: "password"; password: string }
  | { event: "remembered"; isRemembered: boolean }
  | { event: "connected"; server: ServerCard }
  | { event: "source"; source: DataSource }
  | { event: "offered"; folders: readonly ServerFolder[] }
  | { event: "direction"; path: string; direction: Direction }
  | { event: "here"; path: string; here: string | null }
  | { event: "mode"; mode: FirstMode }
  | { event: "conflicts"; rule: ConflictRuleView }
  | { event: "planned"; preview: Preview }
  | { event: "started" }
  | { event: "next" }
  | { event: "back" };

export const begin: State = {
  step: "server",
  server: null,
  isByInternet: false,
  typedId: "",
  directory: "",
  internet: null,
  password: "",
  isRemembered: true,
  source: null,
  wishes: null,
  mode: "combine",
  conflicts: "ask",
  preview: null,
};

export function next(state: State, event: Event): State {
  switch (event.event) {
    case "servers": {
      // A server that is chosen stays chosen while the list changes around it.
      const known = event.servers.find((server) => server.id === state.server?.id);
      const only = event.servers.find((server) => !server.isConnectedAlready);
      return { ...state, server: known ?? state.server ?? only ?? null };
    }
    case "server":
      return { ...state, server: event.server };
    case "arrived":
      // By invitation or ID: which server is answered, so the password comes next. A connected computer stays.
      return state.step === "server" || state.step === "password"
        ? { ...state, step: "password", server: event.server, password: "", internet: event.server.isInNetwork ? state.internet : true }
        : state;
    case "byInternet":
      return { ...state, isByInternet: true };
    case "typedId":
      return { ...state, typedId: event.text };
    case "directory":
      return { ...state, directory: event.text };
    case "internet":
      return { ...state, internet: event.on };
    case "password":
      return { ...state, password: event.password };
    case "remembered":
      return { ...state, isRemembered: event.isRemembered };
    case "connected":
      return { ...state, step: "folders", server: event.server, password: "" };
    case "source":
      // Where a folder belongs was chosen among the other place's folders.
      return {
        ...state,
        source: event.source,
        wishes: state.wishes?.map((wish) => ({ ...wish, here: null })) ?? null,
      };
    case "offered":
      return {
        ...state,
        wishes: event.folders.map(
          (folder) =>
            state.wishes?.find((wish) => wish.path === folder.path) ?? { ...folder, direction: "both", here: null },
        ),
      };
    case "direction":
      return { ...state, wishes: changed(state, event.path, { direction: event.direction }) };
    case "here":
      return { ...state, wishes: changed(state, event.path, { here: event.here }) };
    case "mode":
      return { ...state, mode: event.mode };
    case "conflicts":
      return { ...state, conflicts: event.rule };
    case "planned":
      return { ...state, step: "preview", preview: event.preview };
    case "started":
      return { ...state, step: "started" };
    case "next":
      return state.step === "server" && isReady(state) ? { ...state, step: "password" } : state;
    case "back":
      if (state.step === "password") return { ...state, step: "server" };
      // Behind the folders lies a connection that exists: Disconnect ends it, Back doesn't.
      return state.step === "preview" ? { ...state, step: "folders", preview: null } : state;
  }
}

/** Whether this step has what the next one needs. */
export function isReady(state: State): boolean {
  switch (state.step) {
    case "server":
      return state.server !== null && !state.server.isConnectedAlready;
    case "password":
      return state.password !== "";
    case "folders":
      return state.source !== null && (state.wishes ?? []).some((wish) => wish.direction !== "off");
    case "preview":
      return state.preview !== null;
    case "started":
      return true;
  }
}

export function plan(state: State): PlanFirst {
  return {
    source: state.source?.id ?? "",
    mode: state.mode,
    folders: (state.wishes ?? []).map(({ path, direction, here }) => ({ path, direction, here })),
    conflicts: state.conflicts,
  };
}

function changed(state: State, path: string, change: Partial<Wish>): readonly Wish[] | null {
  return state.wishes?.map((wish) => (wish.path === path ? { ...wish, ...change } : wish)) ?? null;
}
