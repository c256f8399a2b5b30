import { invoke } from "@tauri-apps/api/core";
import { listen } from "@tauri-apps/api/event";
import type { HostEvent } from "./bindings/HostEvent.ts";
import type { Host } from "./index.ts";

/** The window's host: one command, one event. Nothing else of Tauri is used by the page. */
export const tauri: Host = {
  call: (name, request) => invoke("call", { name, request }),
  listen: async (tell) => {
    await listen<HostEvent>("host", ({ payload }) => tell(payload));
  },
};
