import { describe, expect, test } from "vitest";
import { FrameScheduler } from "../../src/scene/frame-scheduler";

/** A browser whose frames come every 16 ms, to whoever asked. */
class Browser {
  nowMs = 0;
  made = 0;
  #frames: ((nowMs: number) => void)[] = [];
  #timers: { atMs: number; run: () => void }[] = [];

  readonly ports = {
    frame: (run: (nowMs: number) => void): void => void this.#frames.push(run),
    later: (run: () => void, delayMs: number): void => void this.#timers.push({ atMs: this.nowMs + delayMs, run }),
  };

  advance(frames: number): void {
    for (let index = 0; index < frames; index++) {
      this.nowMs += 16;
      const due = this.#timers.filter((timer) => timer.atMs <= this.nowMs);
      this.#timers = this.#timers.filter((timer) => timer.atMs > this.nowMs);
      for (const { run } of due) run();
      const asked = this.#frames;
      this.#frames = [];
      if (asked.length > 0) this.made += 1;
      for (const run of asked) run(this.nowMs);
    }
  }
}

describe("a round", () => {
  test("draws everybody once in one frame, in the order they asked", () => {
    const browser = new Browser();
    const round = new FrameScheduler(0, browser.ports);
    const drawn: string[] = [];
    const first = (): void => void drawn.push("first");
    round.add(first);
    round.add(() => drawn.push("second"));
    round.add(first);
    browser.advance(3);
    expect(drawn).toEqual(["first", "second"]);
    expect(browser.made).toBe(1);
  });

  test("what is taken back is not drawn", () => {
    const browser = new Browser();
    const round = new FrameScheduler(0, browser.ports);
    let drawn = 0;
    round.add(() => (drawn += 1))();
    browser.advance(2);
    expect(drawn).toBe(0);
  });

  test("keeps its frames apart, draws the first at once, and asks for no frame that it does not need", () => {
    const browser = new Browser();
    const round = new FrameScheduler(60, browser.ports);
    const drawnMs: number[] = [];
    for (let frame = 0; frame < 60; frame++) {
      round.add(() => drawnMs.push(browser.nowMs));
      browser.advance(1);
    }
    const rounds = [...new Set(drawnMs)];
    expect(rounds[0]).toBe(16);
    expect(rounds.slice(1).every((atMs, index) => atMs - (rounds[index] ?? 0) >= 60)).toBe(true);
    expect(rounds.length).toBeGreaterThanOrEqual(12);
    // One more for each round, to learn that it is early.
    expect(browser.made).toBeLessThanOrEqual(2 * rounds.length + 1);
    // Nobody who asked is forgotten.
    browser.advance(8);
    expect(drawnMs.length).toBe(60);
  });

  test("who asks while it draws is drawn in the next", () => {
    const browser = new Browser();
    const round = new FrameScheduler(0, browser.ports);
    let drawn = 0;
    const again = (): void => {
      drawn += 1;
      if (drawn < 3) round.add(again);
    };
    round.add(again);
    browser.advance(1);
    expect(drawn).toBe(1);
    browser.advance(5);
    expect(drawn).toBe(3);
  });
});
