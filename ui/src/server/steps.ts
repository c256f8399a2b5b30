/** The steps that make this computer the server, as values: pages draw a state and send events. */
import type { CreateServer } from "../ipc/bindings/CreateServer.ts";
import type { DataSource } from "../ipc/bindings/DataSource.ts";
import type { FolderChoice } from "../ipc/bindings/FolderChoice.ts";

export const steps = ["data", "folders", "internet", "password", "share"] as const;
export type Step = (typeof steps)[number];
export type Preset = FolderChoice["these"];

export type State = {
  readonly step: Step;
  readonly source: DataSource | null;
  readonly preset: Preset;
  /** Paths of the folders chosen one by one. */
  readonly chosen: readonly string[];
  readonly internet: boolean;
  readonly name: string;
  readonly password: string;
  readonly isPasswordShown: boolean;
  /** The password once more, while it can't be seen. */
  readonly repeated: string;
  readonly isRemembered: boolean;
};

export type Event =
  | { event: "source"; source: DataSource }
  | { event: "preset"; preset: Preset }
  | { event: "chosen"; paths: readonly string[] }
  | { event: "internet"; on: boolean }
  | { event: "name"; name: string }
  | { event: "suggested"; password: string }
  | { event: "password"; password: string }
  | { event: "shown"; isShown: boolean }
  | { event: "repeated"; password: string }
  | { event: "remembered"; isRemembered: boolean }
  | { event: "created" }
  | { event: "next" }
  | { event: "back" };

export const begin = (name: string): State => ({
  step: "data",
  source: null,
  preset: "everything",
  chosen: [],
  internet: false,
  name,
  password: "",
  isPasswordShown: true,
  repeated: "",
  isRemembered: true,
});

export function next(state: State, event: Event): State {
  switch (event.event) {
    case "source":
      // Another place has other folders; mail that lives on a mail server is usually there already.
      return event.source.id === state.source?.id
        ? { ...state, source: event.source }
        : { ...state, source: event.source, preset: event.source.isMailOnServer ? "exceptMail" : "everything", chosen: [] };
    case "preset":
      return { ...state, preset: event.preset };
    case "chosen":
      return { ...state, preset: "named", chosen: event.paths };
    case "internet":
      return { ...state, internet: event.on };
    case "name":
      return { ...state, name: event.name };
    case "suggested":
      return { ...state, password: event.password, isPasswordShown: true, repeated: "" };
    case "password":
      return { ...state, password: event.password };
    case "shown":
      return { ...state, isPasswordShown: event.isShown, repeated: "" };
    case "repeated":
      return { ...state, repeated: event.password };
    case "remembered":
      return { ...state, isRemembered: event.isRemembered };
    case "created":
      // From here on nobody needs the password in the window's memory.
      return { ...state, step: "share", password: "", repeated: "" };
    case "next":
      return isReady(state) && state.step !== "password" ? { ...state, step: at(state.step, 1) } : state;
    case "back":
      // A server that exists isn't unmade by going back.
      return state.step === "share" ? state : { ...state, step: at(state.step, -1) };
  }
}

/** Whether this step has what the next one needs. How good the password is, Rust says. */
export function isReady(state: State): boolean {
  switch (state.step) {
    case "data":
      return state.source !== null && (state.source.state === "ready" || state.source.state === "new");
    case "folders":
      return state.preset !== "named" || state.chosen.length > 0;
    case "password":
      return state.password !== "" && (state.isPasswordShown || state.repeated === state.password);
    case "internet":
    case "share":
      return true;
  }
}

export function choice(state: State): FolderChoice {
  return state.preset === "named" ? { these: "named", paths: [...state.chosen] } : { these: state.preset };
}

export function request(state: State): CreateServer {
  return {
    name: state.name.trim(),
    source: state.source?.id ?? "",
    folders: choice(state),
    internet: state.internet,
    password: state.password,
    isRemembered: state.isRemembered,
  };
}

function at(step: Step, by: 1 | -1): Step {
  return steps[steps.indexOf(step) + by] ?? step;
}
