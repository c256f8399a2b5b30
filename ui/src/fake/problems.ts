/** Problems with the words of the real ones: from the files Rust makes them with. */
import { FluentBundle, FluentResource } from "@fluent/bundle";
import de from "../../../crates/app/locales/de.ftl?raw";
import en from "../../../crates/app/locales/en.ftl?raw";
import type { ProblemView } from "../ipc/bindings/ProblemView.ts";
import { spoken } from "../words/words.svelte.ts";

const bundles = { en: new FluentBundle("en", { useIsolating: false }), de: new FluentBundle("de", { useIsolating: false }) };
bundles.en.addResource(new FluentResource(en));
bundles.de.addResource(new FluentResource(de));

/** Facts that fit most messages, so that each can be shown. */
const usual = {
  server: "Office PC",
  other: "Workshop",
  older: "here",
  folder: "Contacts",
  file: "Office PC.tandem",
  place: "/home/anna/Tandem",
  name: "Plan.pdf",
  program: "Outlook",
  found: 12,
  tries: 2,
  wait: "10 min",
  last_seen_secs: 0,
  left_secs: 0,
  reason: "common",
  known_by: "last",
  n: 3,
  all: 806,
  computer: "Laptop",
  have: "1",
  need: "2",
  free: "1 GB",
  done: 312,
  expired: "1 Dec 2026",
  size: "60 MB",
  max: "50 MB",
  path: "/home/anna/Tandem/mail",
  address: "192.168.1.10:47113",
  role: "client",
  chars_max: 63,
  server_id: "K7QF-2M9D-XH4R-8TWA",
  left: "2 h",
  device: "Laptop",
  directory: "directory.example",
  relay: "relay.example",
  domain: "firma.example",
  given: "switchboard.example",
  id: "c1",
  last_seen: "2 h",
  line: 3,
  need_bytes: 1,
  port: "47113",
  spec: "imap:mail.example.org",
  version: 2,
  why: "no-such-record",
};

export const codes: readonly string[] = [...en.matchAll(/^([A-Z]\d\d) =/gm)].map((match) => match[1] as string);

export function problem(code: string, facts: Record<string, string | number> = {}): ProblemView {
  const bundle = bundles[spoken()];
  const message = bundle.getMessage(code);
  const say = (pattern: typeof message extends infer M ? (M extends { value: infer V } ? V : never) : never): string =>
    pattern ? bundle.formatPattern(pattern, { ...usual, ...facts }) : "";
  const headline = say(message?.value ?? null);
  const action = say(message?.attributes["action"] ?? null);
  const body = say(message?.attributes["body"] ?? null);
  return { code, headline, message: `${headline} ${body}`, action, facts };
}
