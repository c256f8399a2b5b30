/** Commands the screens are built for and the generated lists don't have yet. Empties as they arrive. */
import type { Command } from "./bindings/Command.ts";
import type { Nothing } from "./bindings/Nothing.ts";
import type { ProblemView } from "./bindings/ProblemView.ts";
import type { TextRequest } from "./bindings/TextRequest.ts";

export type PublicationState = "none" | "published" | "revoking";
/** What is published of this server, or would be. */
export type PublicationView = {
  state: PublicationState;
  /** The 16 characters that lead here. */
  serverId: string | null;
  name: string;
  comment: string | null;
  publicKey: string;
  publishedAt: number | null;
  renewedAt: number | null;
};
/** A server ID as it is being typed. */
export type ServerIdCheck = {
  /** As it is written, if it is one. */
  serverId: string | null;
  problem: ProblemView | null;
  /** The group of four that is probably wrong, from 0. */
  suspect: number | null;
  isIncomplete: boolean;
};

export type WantedCommands = {
  publication: Command<Nothing, PublicationView>;
  publish: Command<{ name: string | null; comment: string | null }, PublicationView>;
  revoke: Command<Nothing, PublicationView>;
  check_server_id: Command<TextRequest, ServerIdCheck>;
};
