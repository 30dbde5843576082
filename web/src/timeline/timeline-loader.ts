/** The timeline's data: asked for a little wider than what is seen, asked again as now moves on, drawn from what is at hand. */

import type { Timeline } from "../api/client";
import { toMs, type Window } from "./window";

export type Ask = (fromMs: number, toMs: number, bins: number, signal: AbortSignal) => Promise<Timeline>;

const BIN_PX = 3;
/** On either side, in windows. */
const MARGIN = 1;
const MIN_REFRESH_MS = 2000;
const RETRY_MS = 3000;

interface Known {
  readonly timeline: Timeline;
  readonly askedMs: number;
}

/** Whether an answer shows a window well: all of it, finely enough, recently enough. */
export function serves(known: Known, window: Window, widthPx: number, nowMs: number): boolean {
  const { timeline, askedMs } = known;
  if (timeline.from_ms > window.fromMs || timeline.to_ms < Math.min(toMs(window), nowMs)) return false;
  const wantedBinMs = (window.spanMs / widthPx) * BIN_PX;
  if (timeline.bin_ms > wantedBinMs * 2.5) return false;
  const growing = timeline.to_ms > askedMs - 20_000 && toMs(window) > askedMs - 20_000;
  return !growing || nowMs - askedMs < Math.max(MIN_REFRESH_MS, timeline.bin_ms);
}

export class TimelineLoader {
  readonly #ask: Ask;
  #changed: () => void = () => undefined;
  #known: Known | null = null;
  #flight: AbortController | null = null;
  #failedMs = -Infinity;

  constructor(ask: Ask) {
    this.#ask = ask;
  }

  /** Calls `changed` when there is an answer, or none. */
  watch(changed: () => void): void {
    this.#changed = changed;
  }

  get timeline(): Timeline | null {
    return this.#known?.timeline ?? null;
  }

  want(window: Window, widthPx: number, nowMs: number): void {
    if (this.#known !== null && serves(this.#known, window, widthPx, nowMs)) return;
    if (this.#flight !== null || nowMs - this.#failedMs < RETRY_MS) return;
    void this.#load(window, widthPx, nowMs);
  }

  close(): void {
    this.#flight?.abort();
  }

  async #load(window: Window, widthPx: number, nowMs: number): Promise<void> {
    const flight = new AbortController();
    this.#flight = flight;
    const fromMs = Math.max(0, Math.floor(window.fromMs - MARGIN * window.spanMs));
    const endMs = Math.max(fromMs + 1000, Math.ceil(Math.min(toMs(window) + MARGIN * window.spanMs, nowMs + window.spanMs)));
    const bins = Math.max(1, Math.min(4000, Math.round(((endMs - fromMs) / window.spanMs) * (widthPx / BIN_PX))));
    try {
      const timeline = await this.#ask(fromMs, endMs, bins, flight.signal);
      this.#known = { timeline, askedMs: nowMs };
    } catch {
      this.#failedMs = nowMs;
    } finally {
      this.#flight = null;
    }
    if (!flight.signal.aborted) this.#changed();
  }
}
