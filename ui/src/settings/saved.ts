import { announce } from "../parts/live.svelte.ts";
import { t } from "../words/words.svelte.ts";

/** Says that a change was kept, if it was. */
export async function saved(change: Promise<boolean>): Promise<void> {
  if (await change) announce(t("saved"));
}
