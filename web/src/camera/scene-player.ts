/**
 * Plays the scenes of one camera: live as they come, or the past as it was recorded.
 *
 * Belongs here: which moment is shown, what is drawn of it, what has to be fetched for it, and why there is nothing to draw. Not
 * here: React, the address, how a view becomes pixels. What each act does to the playback is pure (`playback.ts`); time, frames,
 * fetching and the live stream are ports.
 */

import type { Freshness } from "../scene/freshness";
import { NOTHING_SEEN, type SceneView } from "../scene/reader";
import { RecordingCache, type FetchScene } from "../scene/recording-cache";
import {
  advance,
  begin,
  changeRate,
  goLive,
  isLive,
  mark,
  momentOf,
  pan,
  playStepMs,
  seek,
  setRate,
  step,
  togglePlay,
  zoom,
  type Playback,
} from "./playback";
import { Store } from "./store";

/** What is drawn: the live scene, a recorded one, or the last one while there is none or none yet. */
export interface Shown {
  /** gap: nothing was recorded; unwritten: nothing is recorded yet; buffering: what is recorded is still being fetched. */
  readonly kind: "live" | "recorded" | "gap" | "unwritten" | "buffering";
  readonly view: SceneView | null;
  /** Of the past; live it changes with time and is asked for (useLiveSummary). */
  readonly freshness: Freshness;
  /** Whether this is the moment that is asked for, and nothing finer is to come. */
  readonly exact: boolean;
}

/** The live stream of the camera. */
export interface LiveFeed {
  readonly view: () => SceneView | null;
  /** Calls `changed` after every message; returns how to stop. */
  readonly subscribe: (changed: () => void) => () => void;
}

export interface PlayerPorts {
  /** The wall clock, ms UTC. */
  readonly nowMs: () => number;
  /** A clock that never steps. */
  readonly monotonicMs: () => number;
  /** Runs it once, in the next frame that the browser draws. */
  readonly nextFrame: (run: () => void) => void;
  readonly fetchScene: FetchScene;
  readonly live: LiveFeed;
}

/** Where scenes are drawn. */
export interface Screen {
  readonly widthPx: () => number;
  /** live: blocks that are new may appear slowly. */
  readonly draw: (view: SceneView | null, live: boolean) => void;
}

/** Being fetched is worth a word only if it lasts. */
const PATIENCE_MS = 400;
/** While it plays, what comes this much later is fetched too. */
const AHEAD_MS = 4000;
/** A page that was in the background does not catch up. */
const LONGEST_FRAME_MS = 1000;
/** A live timeline's window moves no more often than this, and no less. */
const WINDOW_MS = { least: 30, most: 1000 } as const;

export class ScenePlayer {
  readonly playback: Store<Playback>;
  readonly shown: Store<Shown>;
  readonly #ports: PlayerPorts;
  readonly #recording: RecordingCache;
  #screen: Screen | null = null;
  /** A pointer holds the moment: what is fetched follows it coarsely. */
  #held = false;
  #bufferingSinceMs: number | null = null;

  /** atMs: the moment to begin with; null: live. */
  constructor(ports: PlayerPorts, atMs: number | null, spanMs: number | null) {
    this.#ports = ports;
    this.playback = new Store(begin(atMs, spanMs, ports.nowMs()));
    this.shown = new Store<Shown>({ kind: "live", view: null, freshness: "waiting", exact: false });
    this.#recording = new RecordingCache(ports.fetchScene, () => this.#show(), ports.nowMs);
  }

  /** Draws on `screen`, frame after frame; returns how to stop. */
  start(screen: Screen): () => void {
    this.#screen = screen;
    let running = true;
    let lastMs = this.#ports.monotonicMs();
    let windowMs = 0;
    const frame = (): void => {
      if (!running) return;
      const nowMs = this.#ports.monotonicMs();
      const elapsedMs = Math.min(LONGEST_FRAME_MS, nowMs - lastMs);
      lastMs = nowMs;
      const playback = this.playback.get();
      // The window of a live timeline moves by less than a pixel most frames: it is redrawn when it has moved by half of one.
      const halfPixelMs = playback.window.spanMs / (2 * screen.widthPx());
      if (!isLive(playback) || nowMs - windowMs > Math.max(WINDOW_MS.least, Math.min(WINDOW_MS.most, halfPixelMs))) {
        windowMs = nowMs;
        this.#act((before, wallMs) => advance(before, elapsedMs, wallMs));
      }
      if (!isLive(playback)) this.#show();
      this.#ports.nextFrame(frame);
    };
    const stopStore = this.playback.subscribe(() => this.#show());
    const stopLive = this.#ports.live.subscribe(() => {
      this.#recording.hear(this.#ports.live.view() ?? NOTHING_SEEN);
      if (isLive(this.playback.get())) this.#show();
    });
    this.#show();
    this.#ports.nextFrame(frame);
    return () => {
      running = false;
      stopStore();
      stopLive();
      this.#screen = null;
      this.#recording.close();
    };
  }

  /** ms UTC: the moment that is shown. */
  momentMs(): number {
    return momentOf(this.playback.get(), this.#ports.nowMs());
  }

  togglePlay(): void {
    this.#act(togglePlay);
  }

  seek(atMs: number): void {
    this.#act((playback, nowMs) => seek(playback, atMs, nowMs));
  }

  seekToWindowStart(): void {
    this.seek(this.playback.get().window.fromMs);
  }

  step(byMs: number): void {
    this.#act((playback, nowMs) => step(playback, byMs, nowMs));
  }

  followLive(): void {
    this.#act(goLive);
  }

  setRate(rate: number): void {
    this.#act((playback, nowMs) => setRate(playback, rate, nowMs));
  }

  changeRate(by: 1 | -1): void {
    this.#act((playback, nowMs) => changeRate(playback, by, nowMs));
  }

  /** A pointer takes hold of the moment, or lets go of it. */
  hold(held: boolean): void {
    this.#held = held;
  }

  /** anchorMs: the moment that stays where it is; the one shown if there is none. Live stays at the end. */
  zoom(factor: number, anchorMs: number | null = null): void {
    this.#act((playback, nowMs) => zoom(playback, factor, anchorMs ?? momentOf(playback, nowMs), nowMs));
  }

  pan(byMs: number): void {
    this.#act((playback, nowMs) => pan(playback, byMs, nowMs));
  }

  mark(which: "from" | "to"): void {
    this.#act((playback, nowMs) => mark(playback, which, nowMs));
  }

  clearMarks(): void {
    this.#act((playback) => ({ ...playback, markFromMs: null, markToMs: null }));
  }

  #act(change: (playback: Playback, nowMs: number) => Playback): void {
    this.playback.update((playback) => change(playback, this.#ports.nowMs()));
  }

  /** Draws the moment from what is at hand, and sees to what is missing. */
  #show(): void {
    if (this.#screen === null) return;
    const playback = this.playback.get();
    if (isLive(playback)) {
      this.#bufferingSinceMs = null;
      const view = this.#ports.live.view();
      this.#screen.draw(view, true);
      this.#say({ kind: "live", view, freshness: "shown", exact: true });
      return;
    }
    const atMs = momentOf(playback, this.#ports.nowMs());
    const stepMs = this.#held ? (playback.window.spanMs / this.#screen.widthPx()) * 2 : playStepMs(playback);
    this.#recording.want(atMs, stepMs);
    if (playback.playing) this.#recording.want(atMs + AHEAD_MS * playback.rate, stepMs);
    const moment = this.#recording.at(atMs);
    if (moment.kind === "fetching") {
      this.#buffer();
      return;
    }
    this.#bufferingSinceMs = null;
    const { view } = moment;
    if (moment.kind === "shown") this.#say({ kind: "recorded", view, freshness: moment.freshness, exact: moment.exact });
    else this.#say({ kind: moment.written ? "gap" : "unwritten", view, freshness: "silent", exact: moment.written });
    this.#screen.draw(view, false);
  }

  /** What is drawn stays until there is something else, or this takes too long to say nothing. */
  #buffer(): void {
    const nowMs = this.#ports.monotonicMs();
    this.#bufferingSinceMs ??= nowMs;
    const late = nowMs - this.#bufferingSinceMs > PATIENCE_MS;
    this.#say({ ...this.shown.get(), ...(late ? { kind: "buffering" } : {}), exact: false });
  }

  #say(shown: Shown): void {
    const { kind, view, freshness, exact } = this.shown.get();
    if (kind === shown.kind && view === shown.view && freshness === shown.freshness && exact === shown.exact) return;
    this.shown.set(shown);
  }
}
