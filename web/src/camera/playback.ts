/**
 * What the camera page is doing: which moment is shown, whether time passes, what the timeline shows, which span is chosen.
 * Pure: every act is a function of the state and the time.
 */

import { centred, following, heldBefore, kept, panned, toMs, zoomed, LIVE_MARGIN, type Window } from "../timeline/window";

export const SPEEDS = [1, 2, 5, 10, 30, 100, 300, 1000] as const;
export const DEFAULT_SPAN_MS = 3_600_000;
/** Playing faster than time, this close to now becomes live. */
const LIVE_NEAR_MS = 2000;

export interface Playback {
  /** The moment shown; null: live. */
  readonly atMs: number | null;
  readonly playing: boolean;
  readonly speed: number;
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
    speed: 1,
    window: past === null ? following(span, nowMs) : heldBefore(centred(span, past), nowMs),
    markFromMs: null,
    markToMs: null,
  };
}

export function isLive(player: Playback): boolean {
  return player.atMs === null;
}

export function momentOf(player: Playback, nowMs: number): number {
  return player.atMs ?? nowMs;
}

export function seek(player: Playback, atMs: number, nowMs: number): Playback {
  if (atMs >= nowMs) return goLive(player, nowMs);
  const at = Math.max(0, atMs);
  return { ...player, atMs: at, playing: false, window: kept(player.window, at) };
}

export function step(player: Playback, byMs: number, nowMs: number): Playback {
  const { playing } = player;
  const moved = seek(player, momentOf(player, nowMs) + byMs, nowMs);
  return moved.atMs === null ? moved : { ...moved, playing: playing && player.atMs !== null };
}

export function goLive(player: Playback, nowMs: number): Playback {
  return { ...player, atMs: null, playing: true, speed: 1, window: following(player.window.spanMs, nowMs) };
}

export function togglePlay(player: Playback, nowMs: number): Playback {
  if (player.atMs === null) return { ...player, atMs: nowMs, playing: false };
  return { ...player, playing: !player.playing };
}

export function setSpeed(player: Playback, speed: number, nowMs: number): Playback {
  // Live cannot run faster than time.
  if (player.atMs === null && speed > 1) return { ...player, atMs: nowMs, speed };
  return { ...player, speed };
}

export function changeSpeed(player: Playback, by: 1 | -1, nowMs: number): Playback {
  const index = SPEEDS.findIndex((speed) => speed >= player.speed);
  const next = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, index + by))];
  return next === undefined ? player : setSpeed(player, next, nowMs);
}

/** Let `elapsedMs` of time pass. */
export function advance(player: Playback, elapsedMs: number, nowMs: number): Playback {
  if (player.atMs === null) {
    const window = following(player.window.spanMs, nowMs);
    // Whoever looks at the past while the picture is live keeps what they look at.
    return toMs(player.window) >= nowMs - player.window.spanMs * LIVE_MARGIN ? { ...player, window } : player;
  }
  if (!player.playing) return player;
  const atMs = player.atMs + elapsedMs * player.speed;
  if (atMs >= nowMs || (player.speed > 1 && atMs >= nowMs - LIVE_NEAR_MS)) return goLive(player, nowMs);
  return { ...player, atMs, window: kept(player.window, atMs) };
}

export function zoom(player: Playback, factor: number, anchorMs: number, nowMs: number): Playback {
  return { ...player, window: heldBefore(zoomed(player.window, factor, anchorMs), nowMs) };
}

export function pan(player: Playback, byMs: number, nowMs: number): Playback {
  return { ...player, window: heldBefore(panned(player.window, byMs), nowMs) };
}

export function mark(player: Playback, which: "from" | "to", nowMs: number): Playback {
  const at = Math.round(momentOf(player, nowMs));
  return which === "from" ? { ...player, markFromMs: at } : { ...player, markToMs: at };
}

/** The chosen span in order; null unless both ends are marked and apart. */
export function chosenSpan(player: Playback): { fromMs: number; toMs: number } | null {
  const { markFromMs: a, markToMs: b } = player;
  if (a === null || b === null || a === b) return null;
  return { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
}

/** How far apart covers may be for what is being done: each is on the screen for a fifth of a second at least. */
export function playStepMs(player: Playback): number {
  return player.playing ? player.speed * 200 - 200 : 0;
}
