import type { HostEvent } from "../ipc/bindings/HostEvent.ts";
import { bytes, count, lasting, t } from "../words/words.svelte.ts";

type Progress = Extract<HostEvent, { host: "progress" }>;

/** How far it is, in words: items, bytes, and the time left once that is known. */
export function told(progress: Progress): string {
  const { itemsDone, itemsAll, bytesDone, secondsLeft } = progress;
  return [
    t("n-of-m", { n: count(itemsDone), m: count(itemsAll) }),
    bytesDone > 0 ? bytes(bytesDone) : null,
    secondsLeft === null ? null : t("time-left", { time: lasting(secondsLeft) }),
  ]
    .filter((part) => part)
    .join(" · ");
}
