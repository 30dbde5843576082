import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  advance,
  begin,
  changeSpeed,
  chosenSpan,
  goLive,
  isLive,
  mark,
  momentOf,
  pan,
  seek,
  setSpeed,
  SPEEDS,
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

test("a thousandfold play ends in live, at once-speed", () => {
  let player = setSpeed(togglePlay(begin(NOW - 100_000, null, NOW), NOW), 1000, NOW);
  player = advance(player, 50, NOW + 50);
  expect(player.atMs).toBe(NOW - 50_000);
  player = advance(player, 60, NOW + 110);
  expect([isLive(player), player.speed]).toEqual([true, 1]);
});

test("speeds go up and down the list and stop at its ends", () => {
  let player = begin(NOW - 100_000, null, NOW);
  for (let times = 0; times < 20; times++) player = changeSpeed(player, 1, NOW);
  expect(player.speed).toBe(SPEEDS.at(-1));
  for (let times = 0; times < 20; times++) player = changeSpeed(player, -1, NOW);
  expect(player.speed).toBe(1);
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
    fc.constantFrom(...SPEEDS).map((speed) => (p: Playback, now: number) => setSpeed(p, speed, now)),
    fc.integer({ min: 0, max: 1000 }).map((by) => (p: Playback, now: number) => advance(p, by, now)),
  );

  test("the moment is never in the future, live always runs, and now stays reachable", () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        let player = begin(null, null, NOW);
        acts.forEach((each, index) => {
          const nowMs = NOW + index * 100;
          player = each(player, nowMs);
          expect(momentOf(player, nowMs)).toBeLessThanOrEqual(nowMs);
          if (isLive(player)) expect([player.playing, player.speed]).toEqual([true, 1]);
          expect(toMs(player.window)).toBeLessThanOrEqual(nowMs + player.window.spanMs * 0.1 + 1);
        });
      }),
    );
  });
});
