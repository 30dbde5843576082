/**
 * What may be said of a place at a moment: silence never looks like an empty place (docs/ref/scene-stream.md, "Staleness"). Pure.
 */

import { coveredUntilWallNs, STALE_AFTER_MS, type SceneView } from "./reader";
import { msOf } from "./scene";

/** waiting: no picture yet; stale: nothing is heard, or nothing is said of what is there; away: offline or blind. */
export type Standing = "waiting" | "shown" | "stale" | "away";

/** atMs: by the stream's own wall clock. silentMs: since the last heartbeat. slackMs: what a thinned stream leaves out. */
export function standingOf(view: SceneView, atMs: number, silentMs: number, slackMs = 0): Standing {
  const { state, cover, background } = view;
  if (state === null) return "waiting";
  if (silentMs > STALE_AFTER_MS + slackMs) return "stale";
  if (state.condition === "offline" || state.condition === "blind") return "away";
  if (state.condition === "starting" || background === null || cover === null) return "waiting";
  return atMs - msOf(coveredUntilWallNs(view)) > STALE_AFTER_MS + slackMs ? "stale" : "shown";
}

/** When the oldest block of the picture was proven, ms UTC; null while none is. */
export function provenSinceMs(view: SceneView | null): number | null {
  const oldest = view?.background?.oldestWallNs ?? 0n;
  if (oldest !== 0n) return msOf(oldest);
  const first = view?.patches[0];
  return first === undefined ? null : msOf(first.head.wallNs);
}
