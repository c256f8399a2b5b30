/**
 * The one way to the rest of the program.
 *
 * `Commands` is what a running instance answers, `HostCommands` what the window's own host answers; both are generated
 * from the Rust types, so a wrong name or field shows while typing. Who stands behind the door (Tauri, or a made-up
 * host in tests and in the gallery) no screen knows.
 */
import type { Commands } from "./bindings/Commands.ts";
import type { HostCommands } from "./bindings/HostCommands.ts";
import type { HostEvent } from "./bindings/HostEvent.ts";
import type { ProblemView } from "./bindings/ProblemView.ts";

type Lists = Omit<Commands, "events" | "problem"> & Omit<HostCommands, "events" | "problem">;
export type CommandName = keyof Lists;
export type RequestOf<K extends CommandName> = Lists[K]["request"];
export type AnswerOf<K extends CommandName> = Lists[K]["answer"];

/** What has to stand behind the door. A refused command throws a {@link ProblemView}. */
export interface Host {
  call(name: string, request: unknown): Promise<unknown>;
  /** Hears everything from now on. */
  listen(tell: (event: HostEvent) => void): Promise<void>;
}

/** Commands that are told nothing take no request: it has no field with a name. */
type Request<K extends CommandName> = string & keyof RequestOf<K> extends never ? [] : [RequestOf<K>];

export interface Client {
  call<K extends CommandName>(name: K, ...request: Request<K>): Promise<AnswerOf<K>>;
  listen(tell: (event: HostEvent) => void): Promise<void>;
}

export function createClient(host: Host): Client {
  return {
    call: <K extends CommandName>(name: K, ...request: Request<K>) =>
      host.call(name, request[0] ?? {}) as Promise<AnswerOf<K>>,
    listen: (tell) => host.listen(tell),
  };
}

/** What was thrown, as something to show. Whatever isn't a problem of ours is the unexpected one, C13. */
export function asProblem(thrown: unknown, unexpected: () => ProblemView): ProblemView {
  const isOurs = typeof thrown === "object" && thrown !== null && "code" in thrown && "headline" in thrown;
  return isOurs ? (thrown as ProblemView) : unexpected();
}
