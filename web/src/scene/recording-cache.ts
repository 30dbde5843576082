/**
 * The recording of one camera, fetched in segments and kept: what did the place look like at a moment?
 *
 * Belongs here: which segments are fetched, kept and asked. Not here: drawing, the timeline, what is playing.
 *
 * Segments come in levels: every message of a minute, or one cover a second of ten minutes, up to one in ten minutes of five
 * days.
 * A moment is answered from the finest segment at hand, so a picture follows the pointer at once and grows exact when it rests.
 */

import { followMessage, NOTHING_SEEN, type SceneView } from "./reader";
import { msOf } from "./scene";
import { recordedFreshness, type Freshness } from "./freshness";
import { delimited } from "./stream";
import { parseScene, WireError } from "./wire";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

export interface Level {
  readonly stepMs: number;
  readonly segmentMs: number;
}

export const LEVELS: readonly Level[] = [
  { stepMs: 0, segmentMs: MINUTE },
  { stepMs: 1000, segmentMs: 10 * MINUTE },
  { stepMs: 10_000, segmentMs: 2 * HOUR },
  { stepMs: 60_000, segmentMs: 12 * HOUR },
  { stepMs: 600_000, segmentMs: 120 * HOUR },
];

/** The writer syncs at least this often: what is younger may not be readable yet. */
const SETTLED_MS = 12_000;
const REFETCH_MS = 2500;
/** What was heard live is kept this long: longer than it takes to be written and fetched. */
const FRESH_MS = 30_000;
/** Several times what a camera says in that time; of more, the oldest is forgotten. */
const FRESH_VIEWS = 4096;
/** As many segments are remembered as failed. */
const FAILED = 256;
const KEPT_BYTES = 96 * 1024 * 1024;
const AT_ONCE = 3;

/** Views after each message, in order of time. */
export interface Segment {
  readonly fromMs: number;
  readonly toMs: number;
  readonly level: Level;
  readonly views: readonly SceneView[];
  readonly atMs: readonly number[];
  readonly bytes: number;
  /** Until when it is whole; later moments may have been written since. */
  readonly settledMs: number;
}

/**
 * What a moment looked like: something was heard of it, nothing was (`written`: and nothing will be), or it is not fetched yet.
 * How a moment that was heard of is drawn is for its freshness to say. exact: nothing finer is to come.
 */
export type Moment =
  | { readonly kind: "shown"; readonly view: SceneView; readonly freshness: Freshness; readonly exact: boolean }
  | { readonly kind: "gap"; readonly view: SceneView | null; readonly written: boolean }
  | { readonly kind: "fetching" };

export type FetchScene = (
  fromMs: number,
  toMs: number,
  stepMs: number,
  signal: AbortSignal,
) => Promise<ReadableStream<Uint8Array>>;

/** The coarsest level whose step is at most `stepMs`. */
export function levelFor(stepMs: number): Level {
  return LEVELS.findLast((level) => level.stepMs <= stepMs) ?? { stepMs: 0, segmentMs: MINUTE };
}

/** Fold messages into views. A clock that stepped back does not reorder: a view's time is at least that of the one before. */
export class SegmentBuilder {
  readonly #views: SceneView[] = [];
  readonly #atMs: number[] = [];
  #view: SceneView = NOTHING_SEEN;
  #bytes = 0;
  damaged = 0;

  add(data: Uint8Array): void {
    this.#bytes += data.length;
    let message;
    try {
      message = parseScene(data);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.damaged += 1;
      return;
    }
    const view = followMessage(this.#view, message, () => (this.damaged += 1));
    if (view === this.#view) return;
    this.#view = view;
    const atMs = view.head === null ? 0 : msOf(view.head.wallNs);
    this.#views.push(view);
    this.#atMs.push(Math.max(atMs, this.#atMs.at(-1) ?? 0));
  }

  finish(fromMs: number, toMs: number, level: Level, settledMs: number): Segment {
    return { fromMs, toMs, level, views: this.#views, atMs: this.#atMs, bytes: this.#bytes, settledMs };
  }
}

/** The index of the last entry that is at most `atMs`; -1 if none is. */
export function lastBefore(times: readonly number[], atMs: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) <= atMs) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** What a segment says of a moment inside it. */
export function momentIn(segment: Segment, atMs: number): Moment {
  const index = lastBefore(segment.atMs, atMs);
  const view = segment.views[index];
  const written = atMs <= segment.settledMs;
  if (view === undefined) return { kind: "gap", view: null, written };
  const freshness = recordedFreshness(view, atMs, 1.5 * segment.level.stepMs);
  // The last cover before what is not written yet says nothing of it.
  if (freshness === "silent" || (freshness === "unknown" && !written)) return { kind: "gap", view, written };
  return { kind: "shown", view, freshness, exact: written && segment.level.stepMs === 0 };
}

export class RecordingCache {
  readonly #fetch: FetchScene;
  readonly #changed: () => void;
  readonly #nowMs: () => number;
  /** By level and beginning; the least recently used first. */
  readonly #segments = new Map<string, Segment>();
  readonly #flights = new Map<string, { abort: AbortController; sinceMs: number }>();
  readonly #failedMs = new Map<string, number>();
  /** What was heard live in the last FRESH_MS, by time. */
  #freshViews: SceneView[] = [];
  #freshAtMs: number[] = [];
  failed = false;

  constructor(fetch: FetchScene, changed: () => void, nowMs: () => number = () => Date.now()) {
    this.#fetch = fetch;
    this.#changed = changed;
    this.#nowMs = nowMs;
  }

  /** Keeps what the live stream says now: the youngest past is known from it before it is written. */
  hear(view: SceneView): void {
    if (view.head === null) return;
    const atMs = Math.max(msOf(view.head.wallNs), this.#freshAtMs.at(-1) ?? 0);
    this.#freshViews.push(view);
    this.#freshAtMs.push(atMs);
    const old = Math.max(lastBefore(this.#freshAtMs, atMs - FRESH_MS), this.#freshViews.length - FRESH_VIEWS);
    if (old <= 0) return;
    this.#freshViews = this.#freshViews.slice(old);
    this.#freshAtMs = this.#freshAtMs.slice(old);
  }

  /** What is known of a moment now: from what was heard live, else from the finest segment at hand. Fetches nothing. */
  at(atMs: number): Moment {
    const heard = this.#freshViews[lastBefore(this.#freshAtMs, atMs)];
    // Only what speaks for the moment: while this page was not connected others were.
    if (heard !== undefined && recordedFreshness(heard, atMs) === "shown") {
      return { kind: "shown", view: heard, freshness: "shown", exact: true };
    }
    for (const level of LEVELS) {
      const key = keyOf(level, atMs);
      const segment = this.#segments.get(key);
      if (segment === undefined || atMs > segment.toMs) continue;
      this.#segments.delete(key);
      this.#segments.set(key, segment);
      const moment = momentIn(segment, atMs);
      return moment.kind === "gap" && moment.view === null && !moment.written ? { kind: "fetching" } : moment;
    }
    return { kind: "fetching" };
  }

  /** See to it that a moment is known at `stepMs` or finer, unless it is or is on its way. */
  want(atMs: number, stepMs: number): void {
    const nowMs = this.#nowMs();
    if (atMs > nowMs) return;
    const level = levelFor(stepMs);
    const key = keyOf(level, atMs);
    const segment = this.#segments.get(key);
    if (segment !== undefined && (atMs <= segment.settledMs || nowMs < segment.toMs + REFETCH_MS)) return;
    if (this.#flights.has(key) || nowMs - (this.#failedMs.get(key) ?? -Infinity) < REFETCH_MS) return;
    if (this.#flights.size >= AT_ONCE) this.#abortOldest();
    void this.#load(key, level, atMs);
  }

  close(): void {
    for (const { abort } of this.#flights.values()) abort.abort();
    this.#flights.clear();
    this.#segments.clear();
  }

  #abortOldest(): void {
    const [key, flight] = [...this.#flights][0] ?? [];
    if (key === undefined || flight === undefined) return;
    flight.abort.abort();
    this.#flights.delete(key);
  }

  async #load(key: string, level: Level, atMs: number): Promise<void> {
    const abort = new AbortController();
    const nowMs = this.#nowMs();
    this.#flights.set(key, { abort, sinceMs: nowMs });
    const fromMs = Math.floor(atMs / level.segmentMs) * level.segmentMs;
    const endMs = fromMs + level.segmentMs;
    const toMs = Math.min(endMs, nowMs);
    try {
      const builder = new SegmentBuilder();
      for await (const message of delimited(await this.#fetch(fromMs, toMs, level.stepMs, abort.signal))) builder.add(message);
      const settledMs = endMs + SETTLED_MS <= nowMs ? endMs : nowMs - SETTLED_MS;
      this.#segments.set(key, builder.finish(fromMs, toMs, level, settledMs));
      this.#trim();
      this.failed = false;
    } catch {
      // Abandoned on purpose, or the network's: either way the moment stays unknown and may be asked for again.
      if (!abort.signal.aborted) {
        this.failed = true;
        this.#failedMs.delete(key);
        this.#failedMs.set(key, this.#nowMs());
        const oldest = this.#failedMs.keys().next();
        if (this.#failedMs.size > FAILED && oldest.done !== true) this.#failedMs.delete(oldest.value);
      }
    } finally {
      if (this.#flights.get(key)?.abort === abort) this.#flights.delete(key);
    }
    if (!abort.signal.aborted) this.#changed();
  }

  #trim(): void {
    let bytes = 0;
    for (const [key, segment] of [...this.#segments].reverse()) {
      bytes += segment.bytes;
      if (bytes > KEPT_BYTES) this.#segments.delete(key);
    }
  }
}

function keyOf(level: Level, atMs: number): string {
  return `${level.stepMs} ${Math.floor(atMs / level.segmentMs)}`;
}
