/** The gallery, for the robot and for looking around: `gallery.html#overview/calm`. */
import { mount, tick, unmount } from "svelte";
import App from "../App.svelte";
import { FakeHost } from "../fake/host.ts";
import * as world from "../fake/world.ts";
import { createClient } from "../ipc/index.ts";
import { Session } from "../session/session.svelte.ts";
import { t, use } from "../words/words.svelte.ts";
import { pseudo } from "./pseudo.ts";
import { scenes } from "./scenes.ts";

export type Look = { language: "en" | "de" | "en-XA"; theme: "light" | "dark"; contrast: "usual" | "more" };

let app: Record<string, unknown> | null = null;

/** Opens a scene from the beginning. */
async function show(id: string, look: Look): Promise<void> {
  const scene = scenes.find((one) => one.id === id);
  if (!scene) throw new Error(`there is no scene ${id}`);
  if (app) await unmount(app);
  document.getElementById("app")?.replaceChildren();
  const language = look.language === "en-XA" ? "en" : look.language;
  use(language, look.language === "en-XA" ? pseudo : undefined);
  const state = { ...world.hostState, ...scene.state?.(), language: look.language };
  const settings = { ...world.settings, appearance: look.theme, moreContrast: look.contrast === "more" };
  const host = new FakeHost({ settings: () => settings, ...scene.answers?.() }, state);
  const session = new Session(createClient(host));
  const opened = session.open();
  // A scene in which something is waited for never finishes opening.
  await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, 50))]);
  await scene.go?.(session, host);
  app = mount(scene.page ?? App, { target: document.getElementById("app") as HTMLElement, props: { session } });
  await settle();
  if (scene.isUnfolded) for (const folded of document.querySelectorAll("details")) folded.open = true;
  for (const name of scene.press ?? []) await press(name());
  Object.assign(window, { session, host });
}

async function press(name: string): Promise<void> {
  const dialog = document.querySelector("dialog[open]");
  const buttons = [...(dialog ?? document).querySelectorAll("button")];
  const said = (button: HTMLElement): string => (button.getAttribute("aria-label") ?? button.textContent ?? "").trim();
  const button = buttons.find((one) => said(one).startsWith(name));
  if (!button) throw new Error(`there is no button «${name}» among ${buttons.map(said).join(", ")}`);
  button.click();
  await settle();
}

/** Waits until nothing more is answered and drawn. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) {
    await new Promise((resolve) => setTimeout(resolve));
    await tick();
  }
}

const gallery = { scenes: scenes.map((scene) => scene.id), show, settle, t };
Object.assign(window, { gallery });

const wanted = decodeURIComponent(location.hash.slice(1));
if (wanted) void show(wanted, { language: "en", theme: "light", contrast: "usual" });
else {
  const list = document.createElement("ul");
  for (const { id } of scenes) {
    const link = Object.assign(document.createElement("a"), { href: `#${id}`, textContent: id });
    link.addEventListener("click", () => setTimeout(() => location.reload()));
    list.appendChild(document.createElement("li")).appendChild(link);
  }
  document.getElementById("app")?.append(list);
}
