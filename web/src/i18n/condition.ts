/** What a camera is doing, in one sentence with what to do, and how it is coloured. */

import type { Condition, Reason } from "../scene/scene";
import type { Key } from "./en";

/** guarded: all is well; busy: something is there; degraded: something is missing; unknown: nothing is heard; quiet: the rest. */
export type Tone = "guarded" | "busy" | "degraded" | "quiet" | "unknown";

type PlainKey = Extract<
  Key,
  "state.awake" | "state.asleep" | "state.sparse" | "state.starting" | "state.blind" | "state.offline" | `reason.${string}`
>;

export function stateKey(condition: Condition, reason: Reason): PlainKey {
  if (condition === "awake" && reason === "overloaded") return "state.sparse";
  return reason === "none" ? `state.${condition}` : `reason.${reason}`;
}

export function toneOf(condition: Condition, reason: Reason): Tone {
  const degraded = reason === "no_detector" || reason === "overloaded" || reason === "unsaved";
  if (condition === "blind" || condition === "offline" || degraded) return "degraded";
  return condition === "starting" ? "quiet" : "guarded";
}
