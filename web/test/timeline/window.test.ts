import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { offsetMs } from "../../src/time/zone";
import { ticks, tickStep } from "../../src/timeline/ticks";
import {
  clampSpan,
  following,
  heldBefore,
  kept,
  MAX_SPAN_MS,
  MIN_SPAN_MS,
  panned,
  timeAt,
  toMs,
  xAt,
  zoomed,
} from "../../src/timeline/window";

const at = fc.integer({ min: 1_500_000_000_000, max: 1_900_000_000_000 });
const span = fc.integer({ min: MIN_SPAN_MS, max: MAX_SPAN_MS });
const window = fc.record({ fromMs: at, spanMs: span });
const width = fc.integer({ min: 200, max: 4000 });
const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia");

describe("windows", () => {
  test("a place and its time are inverse", () => {
    fc.assert(
      fc.property(window, width, fc.double({ min: 0, max: 1, noNaN: true }), (w, widthPx, part) => {
        expect(xAt(w, timeAt(w, part * widthPx, widthPx), widthPx)).toBeCloseTo(part * widthPx, 2);
      }),
    );
  });

  test("zooming keeps what is under the pointer, and its span within bounds", () => {
    fc.assert(
      fc.property(
        window,
        fc.double({ min: 0.01, max: 100, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (w, by, part) => {
          const anchor = w.fromMs + part * w.spanMs;
          const after = zoomed(w, by, anchor);
          expect(after.spanMs).toBe(clampSpan(w.spanMs * by));
          expect(Math.abs(xAt(after, anchor, 1000) - xAt(w, anchor, 1000))).toBeLessThan(0.01);
        },
      ),
    );
  });

  test("now is never further left than the margin allows, and the span is kept", () => {
    fc.assert(
      fc.property(window, at, (w, nowMs) => {
        const held = heldBefore(w, nowMs);
        expect(held.spanMs).toBe(w.spanMs);
        expect(toMs(held)).toBeLessThanOrEqual(nowMs + 0.04 * w.spanMs + 1);
        expect(heldBefore(following(w.spanMs, nowMs), nowMs).fromMs).toBeCloseTo(following(w.spanMs, nowMs).fromMs, 3);
      }),
    );
  });

  test("keeping a moment in view moves nothing that is in view", () => {
    fc.assert(
      fc.property(window, at, (w, moment) => {
        const after = kept(w, moment);
        expect(moment).toBeGreaterThanOrEqual(after.fromMs - 1);
        expect(moment).toBeLessThanOrEqual(toMs(after) + 1);
        if (moment >= w.fromMs && moment <= toMs(w)) expect(after).toEqual(w);
        expect(panned(panned(w, 5000), -5000)).toEqual(w);
      }),
    );
  });
});

describe("ticks", () => {
  test("stand in order, inside, at round local times, far enough apart", () => {
    fc.assert(
      fc.property(window, width, zone, (w, widthPx, name) => {
        const found = ticks(w, widthPx, name, 90);
        const step = tickStep(w, widthPx, 90);
        let last = -Infinity;
        for (const tick of found) {
          expect(tick.atMs).toBeGreaterThan(last);
          last = tick.atMs;
          expect(tick.atMs).toBeGreaterThanOrEqual(w.fromMs);
          expect(tick.atMs).toBeLessThanOrEqual(toMs(w));
          const local = tick.atMs + offsetMs(name, tick.atMs);
          // Where the clocks leap over a round time there is none; whoever stands there stands an hour (or day) beside it.
          expect(local % Math.min(step, 900_000)).toBe(0);
          if (tick.label === "day") expect(local % 3_600_000).toBe(0);
        }
        expect(found.length).toBeLessThanOrEqual(w.spanMs / step + 2);
        if (w.spanMs >= 3 * step) expect(found.length).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
  });

  test("a day of Berlin when the clocks go forward has its six-hour ticks at local times", () => {
    const from = Date.UTC(2026, 2, 28, 23);
    const found = ticks({ fromMs: from, spanMs: 23 * 3_600_000 }, 500, "Europe/Berlin", 90);
    expect(found.map((tick) => new Date(tick.atMs).toISOString().slice(11, 16))).toEqual([
      "23:00",
      "04:00",
      "10:00",
      "16:00",
      "22:00",
    ]);
  });
});
