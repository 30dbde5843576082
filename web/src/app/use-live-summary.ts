/** What a camera's live stream says, summed up for words: drawn anew only when a word changes. */

import { useSyncExternalStore, useCallback, useRef } from "react";
import { hasBits } from "../scene/bits";
import { liveFreshness, type LiveScenes } from "../scene/live";
import { msOf, type Condition, type Reason } from "../scene/scene";
import { Ticker } from "./ticker";
import { provenSinceMs, coverAgeMs, type Freshness } from "../scene/freshness";

export interface LiveSummary {
  readonly freshness: Freshness;
  /** Whole seconds since the last heartbeat while silent, since a cover held while unknown; 0 otherwise. */
  readonly staleSeconds: number;
  readonly condition: Condition | null;
  readonly reason: Reason;
  /** Hundredths of the blocks outside blind zones. */
  readonly provenPercent: number;
  /** When the oldest block of the picture was proven; null while none is. */
  readonly provenMs: number | null;
  readonly covered: boolean;
  readonly aspect: number | null;
}

const SILENT: LiveSummary = {
  freshness: "waiting",
  staleSeconds: 0,
  condition: null,
  reason: "none",
  provenPercent: 0,
  provenMs: null,
  covered: false,
  aspect: null,
};

/** Fewer blocks than this are not worth a word. */
const SOMETHING_BLOCKS = 2;

export function summarise(live: LiveScenes, camera: string): LiveSummary {
  const known = live.view(camera);
  if (known === undefined) return SILENT;
  const { view, heardMs } = known;
  const { state, grid, cover } = view;
  const nowMs = live.nowMs();
  const blocks = grid === null ? 0 : grid.rows * grid.columns - (state?.blindBlocks ?? 0);
  const freshness = liveFreshness(known, nowMs);
  const newestMs = view.head === null ? 0 : msOf(view.head.wallNs);
  const staleMs = freshness === "silent" ? nowMs - heardMs : freshness === "unknown" ? coverAgeMs(view, newestMs) : 0;
  return {
    freshness,
    staleSeconds: Math.floor(staleMs / 1000),
    condition: state?.condition ?? null,
    reason: state?.reason ?? "none",
    provenPercent: blocks <= 0 ? 0 : Math.floor((100 * Math.min(blocks, state?.provenBlocks ?? 0)) / blocks),
    provenMs: provenSinceMs(view),
    covered: cover !== null && hasBits(cover.covered, SOMETHING_BLOCKS),
    aspect: grid === null ? null : grid.widthPx / grid.heightPx,
  };
}

/** Staleness comes with time, not with a message: one clock for all tiles. */
const looks = new Ticker(500);

function same(a: LiveSummary, b: LiveSummary): boolean {
  return (
    a.freshness === b.freshness &&
    a.staleSeconds === b.staleSeconds &&
    a.condition === b.condition &&
    a.reason === b.reason &&
    a.provenPercent === b.provenPercent &&
    a.provenMs === b.provenMs &&
    a.covered === b.covered &&
    a.aspect === b.aspect
  );
}

export function useLiveSummary(live: LiveScenes, camera: string): LiveSummary {
  const last = useRef<LiveSummary>(SILENT);
  const subscribe = useCallback(
    (changed: () => void) => {
      const stop = live.subscribe(camera, changed);
      const stopLooking = looks.subscribe(changed);
      return () => {
        stop();
        stopLooking();
      };
    },
    [live, camera],
  );
  return useSyncExternalStore(subscribe, () => {
    const fresh = summarise(live, camera);
    if (!same(fresh, last.current)) last.current = fresh;
    return last.current;
  });
}

export function useConnected(live: LiveScenes): boolean {
  return useSyncExternalStore(
    useCallback((changed: () => void) => live.watchConnection(changed), [live]),
    () => live.connected,
  );
}
