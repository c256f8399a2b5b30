import { mount } from "svelte";
import App from "./App.svelte";
import { createClient } from "./ipc/index.ts";
import { tauri } from "./ipc/tauri.ts";
import { Session } from "./session/session.svelte.ts";

const session = new Session(createClient(tauri));
mount(App, { target: document.getElementById("app") as HTMLElement, props: { session } });
void session.open();
