import { untrack } from "svelte";

/** What the live region says next. */
export const live = $state({ text: "" });

/** Has a screen reader say this, when it has finished what it says now. */
export function announce(text: string): void {
  // The same words twice are no change, and wouldn't be spoken again.
  live.text = untrack(() => live.text) === text ? `${text}\u200b` : text;
}
