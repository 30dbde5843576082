import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Ticker } from "../../src/app/ticker";

beforeEach(() => {
  vi.useFakeTimers({ now: 10_400 });
});
afterEach(() => {
  vi.useRealTimers();
});

test("everybody is told at once, and the time is the same for all until the next tick", () => {
  const ticker = new Ticker(1000);
  const told: string[] = [];
  expect(ticker.nowMs).toBe(10_000);
  const stops = ["first", "second"].map((name) => ticker.subscribe(() => told.push(`${name} ${ticker.nowMs}`)));
  vi.advanceTimersByTime(999);
  expect([told, ticker.nowMs]).toEqual([[], 10_000]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual(["first 11400", "second 11400"]);
  stops[0]?.();
  vi.advanceTimersByTime(1000);
  expect(told).toHaveLength(3);
  stops[1]?.();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(5000);
  expect([told.length, ticker.nowMs]).toEqual([3, 17_000]);
});
