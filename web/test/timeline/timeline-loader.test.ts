import { describe, expect, test } from "vitest";
import type { Timeline } from "../../src/api/client";
import { TimelineLoader } from "../../src/timeline/timeline-loader";

const HOUR_MS = 3_600_000;
const nowMs = 1_714_564_800_000;
const seen = { fromMs: nowMs - HOUR_MS, spanMs: HOUR_MS };

/** A loader, what it asked for, and how to answer. */
function loader(): { over: TimelineLoader; asked: [number, number][]; answer: () => Promise<void> } {
  const asked: [number, number][] = [];
  let done: (timeline: Timeline) => void = () => undefined;
  const over = new TimelineLoader((fromMs, toMs) => {
    asked.push([fromMs, toMs]);
    return new Promise((resolve) => (done = resolve));
  });
  const answer = async (): Promise<void> => {
    const [fromMs, toMs] = asked.at(-1) ?? [0, 0];
    done({ from_ms: fromMs, to_ms: toMs, bin_ms: 10_000, density: [], spans: [] });
    await new Promise((resolve) => setTimeout(resolve));
  };
  return { over, asked, answer };
}

describe("the timeline's data", () => {
  test("that was asked for before anybody watches is there when somebody does", async () => {
    const { over, asked, answer } = loader();
    over.want(seen, 1900, nowMs);
    await answer();
    let changes = 0;
    over.watch(() => changes++);
    expect(over.timeline?.from_ms).toBe(nowMs - 2 * HOUR_MS);
    over.want({ ...seen, fromMs: seen.fromMs + 300 }, 1850, nowMs + 300);
    expect(asked).toHaveLength(1);
    expect(changes).toBe(0);
  });

  test("is asked for again as now moves on, and whoever watches hears of it", async () => {
    const { over, asked, answer } = loader();
    let changes = 0;
    over.watch(() => changes++);
    over.want(seen, 1000, nowMs);
    over.want(seen, 1000, nowMs);
    await answer();
    over.want(seen, 1000, nowMs + 11_000);
    await answer();
    expect(asked).toHaveLength(2);
    expect(changes).toBe(2);
  });
});
