/**
 * What may be said of a place at a moment: silence never looks like an empty place (docs/ref/scene-stream.md, "Staleness"). Pure.
 */

import { coveredUntilWallNs, STALE_AFTER_MS, type SceneView } from "./reader";
import { msOf } from "./scene";

/**
 * shown: drawn as it is; everything else is dimmed, with words. waiting: no heartbeat, background or cover yet; silent: no
 * heartbeat for STALE_AFTER_MS; unknown: a heartbeat, but no cover has held for as long.
 * As in vectors/scene-stream/freshness.json.
 */
export type Freshness = "waiting" | "shown" | "silent" | "unknown" | "blind" | "offline";

/** atMs: by the stream's own wall clock. silentMs: since the last heartbeat. slackMs: what a thinned stream leaves out. */
export function freshnessOf(view: SceneView, atMs: number, silentMs: number, slackMs = 0): Freshness {
  const { state, cover, background } = view;
  if (state === null) return "waiting";
  if (silentMs > STALE_AFTER_MS + slackMs) return "silent";
  if (state.condition === "offline" || state.condition === "blind") return state.condition;
  if (state.condition === "starting" || background === null || cover === null) return "waiting";
  return coverAgeMs(view, atMs) > STALE_AFTER_MS + slackMs ? "unknown" : "shown";
}

/** As `freshnessOf`, of a recording: silence is what its own wall times say. */
export function recordedFreshness(view: SceneView, atMs: number, slackMs = 0): Freshness {
  return freshnessOf(view, atMs, view.state === null ? 0 : atMs - msOf(view.state.head.wallNs), slackMs);
}

/** For how long nothing has been said of what is there; negative while a cover holds. */
export function coverAgeMs(view: SceneView, atMs: number): number {
  return atMs - msOf(coveredUntilWallNs(view));
}

/** When the oldest block of the picture was proven, ms UTC; null while none is. */
export function provenSinceMs(view: SceneView | null): number | null {
  const oldest = view?.background?.oldestWallNs ?? 0n;
  if (oldest !== 0n) return msOf(oldest);
  const first = view?.patches[0];
  return first === undefined ? null : msOf(first.head.wallNs);
}
