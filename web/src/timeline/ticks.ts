/** Where a timeline has its ticks and what stands at them. Pure. */

import { fromLocalMs, offsetMs } from "../time/zone";
import { toMs, type Window } from "./window";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const STEPS = [
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
] as const;

/** second: clock with seconds; minute: clock without; day: a date, drawn heavier. */
export interface Tick {
  readonly atMs: number;
  readonly label: "second" | "minute" | "day";
}

export function tickStep(window: Window, widthPx: number, minGapPx: number): number {
  const fewest = (window.spanMs * minGapPx) / Math.max(1, widthPx);
  return STEPS.find((step) => step >= fewest) ?? 28 * DAY;
}

/** Ticks at round local times, at least `minGapPx` apart (but for a change of the clocks), in order, inside the window. */
export function ticks(window: Window, widthPx: number, zone: string, minGapPx = 88): Tick[] {
  const step = tickStep(window, widthPx, minGapPx);
  const found: Tick[] = [];
  const endMs = toMs(window);
  const firstLocal = Math.floor((window.fromMs + offsetMs(zone, window.fromMs)) / step) * step;
  for (let local = firstLocal; ; local += step) {
    const atMs = fromLocalMs(zone, local);
    if (atMs > endMs && local > endMs + offsetMs(zone, endMs)) break;
    if (atMs < window.fromMs || atMs > endMs || atMs <= (found.at(-1)?.atMs ?? -Infinity)) continue;
    found.push({ atMs, label: local % DAY === 0 ? "day" : step < MINUTE ? "second" : "minute" });
  }
  return found;
}
