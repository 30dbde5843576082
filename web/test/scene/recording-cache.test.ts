import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Condition, ImageFormat, Reason, SceneMessageSchema } from "../../src/scene/pb/privet/v1/scene_pb";
import { followMessage, NOTHING_SEEN } from "../../src/scene/reader";
import { lastBefore, levelFor, LEVELS, momentIn, SegmentBuilder, RecordingCache } from "../../src/scene/recording-cache";
import { msOf } from "../../src/scene/scene";
import { parseScene } from "../../src/scene/wire";

const BEGIN = 1_700_000_040_000; // a whole minute
const GRID = { widthPx: 16, heightPx: 16, blockPx: 8, epoch: 0 };

function head(sequence: number, atMs: number) {
  return { session: 1n, sequence: BigInt(sequence), wallNs: BigInt(atMs) * 1_000_000n };
}

/** A background of nothing, then a heartbeat and a cover a second of [fromMs, toMs). */
function recording(fromMs: number, toMs: number, coversUntilMs = toMs): Uint8Array[] {
  const out: Uint8Array[] = [];
  let sequence = 0;
  const next = (atMs: number) => head(++sequence, atMs);
  const state = (atMs: number): Uint8Array => {
    const value = create(SceneMessageSchema, {
      kind: { case: "state", value: { head: next(atMs), condition: Condition.AWAKE, reason: Reason.NONE, grid: GRID } },
    });
    return toBinary(SceneMessageSchema, value);
  };
  const first = create(SceneMessageSchema, {
    kind: { case: "background", value: { head: next(fromMs), grid: GRID, proven: Uint8Array.of(0), format: ImageFormat.WEBP } },
  });
  out.push(toBinary(SceneMessageSchema, first));
  for (let at = fromMs; at < toMs; at += 1000) {
    const cover = create(SceneMessageSchema, {
      kind: { case: "cover", value: { head: next(at), epoch: 0, durationNs: 1_000_000_000n, bits: Uint8Array.of(0x80) } },
    });
    out.push(state(at));
    if (at < coversUntilMs) out.push(toBinary(SceneMessageSchema, cover));
  }
  return out;
}

function body(messages: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const each of messages) controller.enqueue(Uint8Array.of(...varint(each.length), ...each));
      controller.close();
    },
  });
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >> 7)];
}

test("levels: the coarsest that is still fine enough", () => {
  expect(levelFor(0).stepMs).toBe(0);
  expect(levelFor(999).stepMs).toBe(0);
  expect(levelFor(15_000).stepMs).toBe(10_000);
  expect(levelFor(1e12)).toBe(LEVELS.at(-1));
});

test("the last entry before a moment, as a plain search finds it", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 100 })), fc.integer({ min: -1, max: 101 }), (values, at) => {
      const times = [...values].sort((a, b) => a - b);
      expect(lastBefore(times, at)).toBe(times.findLastIndex((time) => time <= at));
    }),
  );
});

describe("a segment", () => {
  const builder = new SegmentBuilder();
  for (const each of recording(BEGIN, BEGIN + 10_000)) builder.add(each);
  const level = levelFor(0);
  const segment = builder.finish(BEGIN, BEGIN + 60_000, level, BEGIN + 60_000);

  test("shows the newest cover of a moment", () => {
    const moment = momentIn(segment, BEGIN + 4500);
    if (moment.kind !== "shown") throw new Error(`expected a picture, found ${moment.kind}`);
    expect(moment.exact).toBe(true);
    expect(moment.view.cover === null ? null : msOf(moment.view.cover.head.wallNs)).toBe(BEGIN + 4000);
  });

  test("is a gap two seconds after the last heartbeat, not before, and before the first message", () => {
    expect(momentIn(segment, BEGIN + 11_000).kind).toBe("shown");
    expect(momentIn(segment, BEGIN + 11_001).kind).toBe("gap");
    expect(momentIn(segment, BEGIN - 1)).toEqual({ kind: "gap", view: null, written: true });
  });

  test("is not drawn as it was where heartbeats go on but nothing says what is there", () => {
    const unknown = new SegmentBuilder();
    for (const each of recording(BEGIN, BEGIN + 10_000, BEGIN + 4000)) unknown.add(each);
    const written = unknown.finish(BEGIN, BEGIN + 60_000, level, BEGIN + 60_000);
    const found = [BEGIN + 6000, BEGIN + 6001].map((atMs) => {
      const moment = momentIn(written, atMs);
      return moment.kind === "shown" ? moment.freshness : moment.kind;
    });
    expect(found).toEqual(["shown", "unknown"]);
    // Too young to tell: it may only not be written yet.
    const young = unknown.finish(BEGIN, BEGIN + 60_000, level, BEGIN + 6000);
    expect(momentIn(young, BEGIN + 6001)).toMatchObject({ kind: "gap", written: false });
  });

  test("takes no harm from a message that breaks the rules", () => {
    const spoiled = new SegmentBuilder();
    for (const each of recording(BEGIN, BEGIN + 3000)) {
      spoiled.add(each);
      spoiled.add(Uint8Array.of(0xff));
    }
    expect(spoiled.damaged).toBeGreaterThan(0);
    expect(momentIn(spoiled.finish(BEGIN, BEGIN + 60_000, level, BEGIN + 60_000), BEGIN + 2500).kind).toBe("shown");
  });
});

describe("what is fetched", () => {
  interface Asked {
    readonly fromMs: number;
    readonly toMs: number;
    readonly stepMs: number;
  }

  function make(nowMs: () => number): { recorded: RecordingCache; asked: Asked[]; settled: () => Promise<void> } {
    const asked: Asked[] = [];
    let told = 0;
    const recorded = new RecordingCache(
      (fromMs, toMs, stepMs) => {
        asked.push({ fromMs, toMs, stepMs });
        return Promise.resolve(body(recording(fromMs, Math.min(toMs, fromMs + 60_000))));
      },
      () => {
        told += 1;
      },
      nowMs,
    );
    const settled = async (): Promise<void> => {
      for (const before = told; told === before;) await Promise.resolve();
    };
    return { recorded, asked, settled };
  }

  test("a moment once, with the whole segment around it", async () => {
    const { recorded, asked, settled } = make(() => BEGIN + 1e9);
    expect(recorded.at(BEGIN + 5000).kind).toBe("fetching");
    recorded.want(BEGIN + 5000, 0);
    recorded.want(BEGIN + 6000, 0);
    await settled();
    recorded.want(BEGIN + 7000, 0);
    expect(asked).toEqual([{ fromMs: BEGIN, toMs: BEGIN + 60_000, stepMs: 0 }]);
    expect(recorded.at(BEGIN + 5500).kind).toBe("shown");
  });

  test("coarse first, exact later, and the finest is shown", async () => {
    const { recorded, settled } = make(() => BEGIN + 1e9);
    recorded.want(BEGIN + 5000, 1000);
    await settled();
    const coarse = recorded.at(BEGIN + 5000);
    recorded.want(BEGIN + 5000, 0);
    await settled();
    const fine = recorded.at(BEGIN + 5000);
    expect([coarse.kind === "shown" && coarse.exact, fine.kind === "shown" && fine.exact]).toEqual([false, true]);
  });

  test("what was heard live is known before it is written, for half a minute, and only while it speaks", () => {
    const { recorded } = make(() => BEGIN + 1e9);
    let view = NOTHING_SEEN;
    for (const each of recording(BEGIN, BEGIN + 40_000)) {
      view = followMessage(view, parseScene(each), () => undefined);
      recorded.hear(view);
    }
    const moment = recorded.at(BEGIN + 20_500);
    if (moment.kind !== "shown") throw new Error(`expected a picture, found ${moment.kind}`);
    expect(moment.exact).toBe(true);
    expect(moment.view.cover === null ? null : msOf(moment.view.cover.head.wallNs)).toBe(BEGIN + 20_000);
    expect(recorded.at(BEGIN + 8000).kind).toBe("fetching");
    expect(recorded.at(BEGIN + 41_000).kind).toBe("shown");
    expect(recorded.at(BEGIN + 41_001).kind).toBe("fetching");
  });

  test("nothing of the future; the youngest again once it has grown", async () => {
    let nowMs = BEGIN + 10_000;
    const { recorded, asked, settled } = make(() => nowMs);
    recorded.want(nowMs + 1, 0);
    expect(asked).toEqual([]);
    recorded.want(nowMs - 100, 0);
    await settled();
    recorded.want(nowMs - 100, 0);
    expect(asked).toHaveLength(1);
    nowMs += 5000;
    recorded.want(nowMs - 100, 0);
    await settled();
    expect(asked.map((each) => each.toMs)).toEqual([BEGIN + 10_000, BEGIN + 15_000]);
  });

  test("however often a clock that stands still is heard, no more than so many views are kept", () => {
    const { recorded } = make(() => BEGIN + 1e9);
    let view = NOTHING_SEEN;
    for (const each of recording(BEGIN, BEGIN + 1000)) view = followMessage(view, parseScene(each), () => undefined);
    recorded.hear(view);
    const later = { ...view, head: { session: 1n, sequence: 9n, wallNs: BigInt(BEGIN + 500) * 1_000_000n } };
    for (let times = 0; times < 4095; times++) recorded.hear(later);
    expect(recorded.at(BEGIN + 100).kind).toBe("shown");
    recorded.hear(later);
    expect(recorded.at(BEGIN + 100).kind).toBe("fetching");
  });

  test("a segment that failed waits before it is tried again, and only the last few hundred are remembered", async () => {
    const asked: number[] = [];
    const recorded = new RecordingCache(
      (fromMs) => {
        asked.push(fromMs);
        return Promise.reject(new Error("torn"));
      },
      () => undefined,
      () => BEGIN + 1e9,
    );
    for (let minute = 0; minute < 256; minute++) {
      recorded.want(BEGIN + minute * 60_000, 0);
      await new Promise((done) => setTimeout(done, 0));
    }
    recorded.want(BEGIN, 0);
    expect(asked).toHaveLength(256);
    recorded.want(BEGIN + 256 * 60_000, 0);
    await new Promise((done) => setTimeout(done, 0));
    recorded.want(BEGIN, 0);
    expect(asked).toHaveLength(258);
  });
});
