/**
 * What the camera page is doing: which moment is shown, whether time passes, what the timeline shows, which span is chosen.
 * Pure: every act is a function of the state and the time.
 */

import { centred, following, heldBefore, kept, panned, toMs, zoomed, LIVE_MARGIN, type Window } from "../timeline/window";

export const RATES = [1, 2, 5, 10, 30, 100, 300, 1000] as const;
export const DEFAULT_SPAN_MS = 3_600_000;
/** Playing faster than time, this close to now becomes live. */
const LIVE_NEAR_MS = 2000;

export interface Playback {
  /** The moment shown; null: live. */
  readonly atMs: number | null;
  readonly playing: boolean;
  readonly rate: number;
  readonly window: Window;
  /** The chosen span's ends, in any order. */
  readonly markFromMs: number | null;
  readonly markToMs: number | null;
}

export function begin(atMs: number | null, spanMs: number | null, nowMs: number): Playback {
  const span = spanMs ?? DEFAULT_SPAN_MS;
  const past = atMs !== null && atMs < nowMs ? atMs : null;
  return {
    atMs: past,
    playing: past === null,
    rate: 1,
    window: past === null ? following(span, nowMs) : heldBefore(centred(span, past), nowMs),
    markFromMs: null,
    markToMs: null,
  };
}

export function isLive(playback: Playback): boolean {
  return playback.atMs === null;
}

export function momentOf(playback: Playback, nowMs: number): number {
  return playback.atMs ?? nowMs;
}

export function seek(playback: Playback, atMs: number, nowMs: number): Playback {
  if (atMs >= nowMs) return goLive(playback, nowMs);
  const at = Math.max(0, atMs);
  return { ...playback, atMs: at, playing: false, window: kept(playback.window, at) };
}

export function step(playback: Playback, byMs: number, nowMs: number): Playback {
  const { playing } = playback;
  const moved = seek(playback, momentOf(playback, nowMs) + byMs, nowMs);
  return moved.atMs === null ? moved : { ...moved, playing: playing && playback.atMs !== null };
}

export function goLive(playback: Playback, nowMs: number): Playback {
  return { ...playback, atMs: null, playing: true, rate: 1, window: following(playback.window.spanMs, nowMs) };
}

export function togglePlay(playback: Playback, nowMs: number): Playback {
  if (playback.atMs === null) return { ...playback, atMs: nowMs, playing: false };
  return { ...playback, playing: !playback.playing };
}

export function setRate(playback: Playback, rate: number, nowMs: number): Playback {
  // Live cannot run faster than time.
  if (playback.atMs === null && rate > 1) return { ...playback, atMs: nowMs, rate };
  return { ...playback, rate };
}

export function changeRate(playback: Playback, by: 1 | -1, nowMs: number): Playback {
  const index = RATES.findIndex((rate) => rate >= playback.rate);
  const next = RATES[Math.min(RATES.length - 1, Math.max(0, index + by))];
  return next === undefined ? playback : setRate(playback, next, nowMs);
}

/** Let `elapsedMs` of time pass. */
export function advance(playback: Playback, elapsedMs: number, nowMs: number): Playback {
  if (playback.atMs === null) {
    const window = following(playback.window.spanMs, nowMs);
    // Whoever looks at the past while the picture is live keeps what they look at.
    return toMs(playback.window) >= nowMs - playback.window.spanMs * LIVE_MARGIN ? { ...playback, window } : playback;
  }
  if (!playback.playing) return playback;
  const atMs = playback.atMs + elapsedMs * playback.rate;
  if (atMs >= nowMs || (playback.rate > 1 && atMs >= nowMs - LIVE_NEAR_MS)) return goLive(playback, nowMs);
  return { ...playback, atMs, window: kept(playback.window, atMs) };
}

export function zoom(playback: Playback, factor: number, anchorMs: number, nowMs: number): Playback {
  return { ...playback, window: heldBefore(zoomed(playback.window, factor, anchorMs), nowMs) };
}

export function pan(playback: Playback, byMs: number, nowMs: number): Playback {
  return { ...playback, window: heldBefore(panned(playback.window, byMs), nowMs) };
}

export function mark(playback: Playback, which: "from" | "to", nowMs: number): Playback {
  const at = Math.round(momentOf(playback, nowMs));
  return which === "from" ? { ...playback, markFromMs: at } : { ...playback, markToMs: at };
}

/** The chosen span in order; null unless both ends are marked and apart. */
export function chosenSpan(playback: Playback): { fromMs: number; toMs: number } | null {
  const { markFromMs: a, markToMs: b } = playback;
  if (a === null || b === null || a === b) return null;
  return { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
}

/** How far apart covers may be for what is being done: each is on the screen for a fifth of a second at least. */
export function playStepMs(playback: Playback): number {
  return playback.playing ? playback.rate * 200 - 200 : 0;
}
