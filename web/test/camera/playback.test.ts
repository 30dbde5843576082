import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advance,
  begin,
  changeRate,
  chosenSpan,
  goLive,
  isLive,
  mark,
  momentOf,
  pan,
  seek,
  setRate,
  RATES,
  step,
  togglePlay,
  zoom,
  type Playback,
} from "../../src/camera/playback";
import { toMs } from "../../src/timeline/window";

const NOW = 1_700_000_000_000;

test("begins live, or at the moment of the address", () => {
  expect(isLive(begin(null, null, NOW))).toBe(true);
  const past = begin(NOW - 5000, 60_000, NOW);
  expect([past.atMs, past.playing, past.window.spanMs]).toEqual([NOW - 5000, false, 60_000]);
  expect(isLive(begin(NOW + 5000, null, NOW))).toBe(true);
});

test("pausing live stays at now; playing goes on from there; seeking beyond now is live", () => {
  const paused = togglePlay(begin(null, null, NOW), NOW);
  expect([paused.atMs, paused.playing]).toEqual([NOW, false]);
  const playing = advance(togglePlay(paused, NOW + 3000), 1000, NOW + 4000);
  expect(playing.atMs).toBe(NOW + 1000);
  expect(isLive(seek(playing, NOW + 9999, NOW + 4000))).toBe(true);
});

test("a thousandfold play ends in live, at rate 1", () => {
  let playback = setRate(togglePlay(begin(NOW - 100_000, null, NOW), NOW), 1000, NOW);
  playback = advance(playback, 50, NOW + 50);
  expect(playback.atMs).toBe(NOW - 50_000);
  playback = advance(playback, 60, NOW + 110);
  expect([isLive(playback), playback.rate]).toEqual([true, 1]);
});

test("rates go up and down the list and stop at its ends", () => {
  let playback = begin(NOW - 100_000, null, NOW);
  for (let times = 0; times < 20; times++) playback = changeRate(playback, 1, NOW);
  expect(playback.rate).toBe(RATES.at(-1));
  for (let times = 0; times < 20; times++) playback = changeRate(playback, -1, NOW);
  expect(playback.rate).toBe(1);
});

test("a span has its ends in order, however they were marked", () => {
  const marked = mark(seek(mark(begin(NOW - 1000, null, NOW), "from", NOW), NOW - 9000, NOW), "to", NOW);
  expect(chosenSpan(marked)).toEqual({ fromMs: NOW - 9000, toMs: NOW - 1000 });
  expect(chosenSpan(begin(null, null, NOW))).toBeNull();
});

describe("whatever is done", () => {
  const act = fc.oneof(
    fc.constant((p: Playback, now: number) => togglePlay(p, now)),
    fc.constant((p: Playback, now: number) => goLive(p, now)),
    fc.integer({ min: -1e8, max: 1e8 }).map((by) => (p: Playback, now: number) => step(p, by, now)),
    fc.integer({ min: 0, max: 2e12 }).map((at) => (p: Playback, now: number) => seek(p, at, now)),
    fc.double({ min: 0.01, max: 100, noNaN: true }).map((by) => (p: Playback, now: number) => zoom(p, by, momentOf(p, now), now)),
    fc.integer({ min: -1e9, max: 1e9 }).map((by) => (p: Playback, now: number) => pan(p, by, now)),
    fc.constantFrom(...RATES).map((rate) => (p: Playback, now: number) => setRate(p, rate, now)),
    fc.integer({ min: 0, max: 1000 }).map((by) => (p: Playback, now: number) => advance(p, by, now)),
  );

  test("the moment is never in the future, live always runs, and now stays reachable", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        let playback = begin(null, null, NOW);
        acts.forEach((each, index) => {
          const nowMs = NOW + index * 100;
          playback = each(playback, nowMs);
          expect(momentOf(playback, nowMs)).toBeLessThanOrEqual(nowMs);
          if (isLive(playback)) expect([playback.playing, playback.rate]).toEqual([true, 1]);
          expect(toMs(playback.window)).toBeLessThanOrEqual(nowMs + playback.window.spanMs * 0.1 + 1);
        });
      }),
    );
  });
});
