/** What the one button of a problem on the overview does. */
export type Answer = "switch-on" | "use-metered" | "try-again" | "why-no-connection";

/** Nothing: the button leads to the page about the message. */
export function answerTo(code: string): Answer | null {
  if (code === "N09") return "switch-on";
  if (code === "N42") return "use-metered";
  // Looked at again at once: what was in the way may be gone.
  if (/^(D|S02|S03|N01)/.test(code)) return "try-again";
  return /^[AN]/.test(code) ? "why-no-connection" : null;
}
