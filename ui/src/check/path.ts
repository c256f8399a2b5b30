import type { Check } from "../ipc/bindings/Check.ts";
import type { Link } from "../parts/PathPicture.svelte";

/** Which stretch of the way a rung is about: 0 leaves this computer, 1 is the last before the other one. */
const stretch: Record<string, number> = {
  network: 0,
  "own-internet-switch": 0,
  "local-firewall": 0,
  internet: 0.34,
  "managed-network": 0.34,
  findable: 0.34,
  gateway: 0.34,
  mapping: 0.34,
  path: 0.67,
};

/** What the picture of the way shows for these rungs: whole up to the first problem, and unknown behind it. */
export function links(checks: readonly Check[], count: number): Link[] {
  const stop = checks.find((check) => check.result === "problem");
  if (checks.length === 0) return Array<Link>(count).fill("unknown");
  // What is on this computer alone says nothing about the way.
  if (!stop || stop.id === "data-readable") {
    return Array<Link>(count).fill(checks.every((check) => check.result === "skipped") ? "unknown" : "open");
  }
  const broken = Math.min(count - 1, Math.floor((stretch[stop.id] ?? 1) * count));
  return Array.from({ length: count }, (_, index) => (index < broken ? "open" : index === broken ? "broken" : "unknown"));
}
