import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { ScenePlayer, type Shown } from "../../src/camera/scene-player";
import type { Freshness } from "../../src/scene/freshness";
import { Condition, ImageFormat, Reason, SceneMessageSchema } from "../../src/scene/pb/privet/v1/scene_pb";
import { follow, followMessage, NOTHING_SEEN, type SceneView } from "../../src/scene/reader";
import { msOf } from "../../src/scene/scene";
import { decode, parseScene } from "../../src/scene/wire";
import { sceneBody } from "../fake-recorder";
import { fromHex, loadCases } from "../vectors";

const BEGIN = 1_700_000_040_000; // a whole minute
const NOW = BEGIN + 600_000;
const GRID = { widthPx: 16, heightPx: 16, blockPx: 8, epoch: 0 };

interface Asked {
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly signal: AbortSignal;
  readonly answer: (messages: readonly Uint8Array[]) => Promise<void>;
  readonly fail: () => Promise<void>;
}

/** A page on which time passes, frames come and answers arrive when the test says so. */
class FakePage {
  nowMs = NOW;
  monotonicMs = 0;
  readonly asked: Asked[] = [];
  readonly drawn: { readonly view: SceneView | null; readonly live: boolean }[] = [];
  widthPx = 1000;
  #live: SceneView | null = null;
  readonly #listeners = new Set<() => void>();
  #frames: (() => void)[] = [];
  readonly player: ScenePlayer;
  readonly stop: () => void;

  constructor(atMs: number | null = null, spanMs: number | null = null) {
    this.player = new ScenePlayer(
      {
        nowMs: () => this.nowMs,
        monotonicMs: () => this.monotonicMs,
        nextFrame: (run) => void this.#frames.push(run),
        fetchScene: (fromMs, toMs, stepMs, signal) => this.#ask(fromMs, toMs, stepMs, signal),
        live: {
          view: () => this.#live,
          subscribe: (changed) => {
            this.#listeners.add(changed);
            return () => this.#listeners.delete(changed);
          },
        },
      },
      atMs,
      spanMs,
    );
    this.stop = this.player.start({
      widthPx: () => this.widthPx,
      draw: (view, live) => void this.drawn.push({ view, live }),
    });
  }

  get shown(): Shown {
    return this.player.shown.get();
  }

  get listening(): number {
    return this.#listeners.size;
  }

  /** Time passes, and one frame is drawn at the end of it. */
  frame(afterMs: number): void {
    this.nowMs += afterMs;
    this.monotonicMs += afterMs;
    const frames = this.#frames;
    this.#frames = [];
    for (const run of frames) run();
  }

  get framesWanted(): number {
    return this.#frames.length;
  }

  say(view: SceneView): void {
    this.#live = view;
    for (const changed of this.#listeners) changed();
  }

  last(): Asked {
    const asked = this.asked.at(-1);
    if (asked === undefined) throw new Error("nothing was asked for");
    return asked;
  }

  #ask(fromMs: number, toMs: number, stepMs: number, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
    return new Promise((done, failed) => {
      this.asked.push({
        fromMs,
        toMs,
        stepMs,
        signal,
        answer: async (messages) => {
          done(sceneBody(messages));
          await settle();
        },
        fail: async () => {
          failed(new Error("torn"));
          await settle();
        },
      });
    });
  }
}

/** Promises and streams run to their end; no time passes. */
async function settle(): Promise<void> {
  await new Promise((done) => setTimeout(done, 0));
}

/** A background of nothing, then a heartbeat and a cover a second of [fromMs, toMs). */
function recording(fromMs: number, toMs: number): Uint8Array[] {
  let sequence = 0n;
  const head = (atMs: number) => ({ session: 1n, sequence: ++sequence, wallNs: BigInt(atMs) * 1_000_000n });
  const background = {
    head: head(fromMs),
    grid: GRID,
    proven: Uint8Array.of(0),
    format: ImageFormat.WEBP,
  };
  const out = [create(SceneMessageSchema, { kind: { case: "background", value: background } })];
  for (let at = fromMs; at < toMs; at += 1000) {
    const state = { head: head(at), condition: Condition.AWAKE, reason: Reason.NONE, grid: GRID };
    const cover = { head: head(at), epoch: 0, durationNs: 1_000_000_000n, bits: Uint8Array.of(0x80) };
    out.push(create(SceneMessageSchema, { kind: { case: "state", value: state } }));
    out.push(create(SceneMessageSchema, { kind: { case: "cover", value: cover } }));
  }
  return out.map((message) => toBinary(SceneMessageSchema, message));
}

function viewOf(messages: readonly Uint8Array[]): SceneView {
  return messages.reduce<SceneView>((view, each) => followMessage(view, parseScene(each), () => undefined), NOTHING_SEEN);
}

function coverMs(view: SceneView | null): number | null {
  const cover = view?.cover;
  return cover == null ? null : msOf(cover.head.wallNs);
}

describe("live", () => {
  test("follows the stream: each message is drawn, and nothing is fetched", () => {
    const page = new FakePage();
    expect(page.shown).toMatchObject({ kind: "live", view: null });
    const view = viewOf(recording(NOW - 1000, NOW));
    page.say(view);
    expect(page.drawn.at(-1)).toEqual({ view, live: true });
    expect(page.shown).toEqual({ kind: "live", view, freshness: "shown", exact: true });
    page.frame(16);
    expect(page.asked).toEqual([]);
  });

  test("the timeline's window follows now, no more often than it moves by half a pixel", () => {
    const page = new FakePage(null, 3_600_000);
    const from = (): number => page.player.playback.get().window.fromMs;
    const first = from();
    page.frame(16);
    page.frame(16);
    expect(from()).toBe(first);
    page.frame(1000);
    expect(from()).toBe(first + 1032);
  });

  test("a moment beyond now is live, and the past is left for live by asking", () => {
    const page = new FakePage(BEGIN + 5000);
    page.player.seek(NOW + 1);
    expect(page.shown.kind).toBe("live");
    page.player.step(-5000);
    expect(page.player.playback.get().atMs).toBe(NOW - 5000);
    page.player.followLive();
    expect(page.shown.kind).toBe("live");
    expect(page.player.momentMs()).toBe(NOW);
  });

  test("paused, the picture stays at that moment, which was heard live, and nothing waits for the disk", () => {
    const page = new FakePage();
    const view = viewOf(recording(NOW - 3000, NOW));
    page.say(view);
    page.player.togglePlay();
    page.frame(500);
    expect(page.player.momentMs()).toBe(NOW);
    expect(page.shown).toMatchObject({ kind: "recorded", freshness: "shown", exact: true, view });
    page.say(viewOf(recording(NOW - 3000, NOW + 1000)));
    expect(page.drawn.at(-1)).toEqual({ view, live: false });
  });
});

describe("the past", () => {
  test("is fetched once, drawn when it is there, and pauses where it was sought", async () => {
    const page = new FakePage(BEGIN + 5500);
    expect(page.asked.map(({ fromMs, toMs, stepMs }) => [fromMs, toMs, stepMs])).toEqual([[BEGIN, BEGIN + 60_000, 0]]);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    expect(page.shown).toMatchObject({ kind: "recorded", freshness: "shown", exact: true });
    expect(coverMs(page.shown.view)).toBe(BEGIN + 5000);
    expect(page.drawn.at(-1)).toEqual({ view: page.shown.view, live: false });
    page.frame(1000);
    expect(page.player.momentMs()).toBe(BEGIN + 5500);
    page.player.seek(BEGIN + 8500);
    expect(coverMs(page.shown.view)).toBe(BEGIN + 8000);
    expect(page.asked).toHaveLength(1);
  });

  test("plays as time passes, faster at a higher rate, and fetches what comes next before it is there", async () => {
    const page = new FakePage(BEGIN + 50_000);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    page.player.togglePlay();
    page.frame(1000);
    expect(page.player.momentMs()).toBe(BEGIN + 51_000);
    page.player.setRate(2);
    page.frame(1000);
    expect(page.player.momentMs()).toBe(BEGIN + 53_000);
    expect(page.last().fromMs).toBe(BEGIN + 60_000);
    page.player.changeRate(-1);
    page.player.togglePlay();
    page.frame(1000);
    expect(page.player.momentMs()).toBe(BEGIN + 53_000);
  });

  test("a frame that comes late moves the moment by a second at most", async () => {
    const page = new FakePage(BEGIN + 5000);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    page.player.togglePlay();
    page.frame(30_000);
    expect(page.player.momentMs()).toBe(BEGIN + 6000);
  });

  test("playing into now becomes live, at rate 1", () => {
    const page = new FakePage(NOW - 10_000);
    page.player.setRate(1000);
    page.player.togglePlay();
    page.frame(20);
    expect([page.shown.kind, page.player.playback.get().rate]).toEqual(["live", 1]);
  });

  test("while a pointer holds the moment, a coarse picture will do; let go, the exact one is fetched", async () => {
    const page = new FakePage(BEGIN + 5000, 3_600_000);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    page.player.hold(true);
    page.player.seek(BEGIN + 125_000);
    // Two pixels of an hour over a thousand are 7.2 s: a cover a second is fine enough.
    expect(page.last().stepMs).toBe(1000);
    await page.last().answer(recording(BEGIN + 120_000, BEGIN + 180_000));
    expect(page.shown).toMatchObject({ kind: "recorded", exact: false });
    page.player.hold(false);
    page.frame(16);
    expect([page.last().stepMs, page.last().fromMs]).toEqual([0, BEGIN + 120_000]);
    await page.last().answer(recording(BEGIN + 120_000, BEGIN + 180_000));
    expect(page.shown).toMatchObject({ kind: "recorded", exact: true });
  });
});

describe("buffering", () => {
  test("keeps the last picture, and is said only if it lasts", async () => {
    const page = new FakePage(BEGIN + 5000);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    const before = page.shown;
    const pictures = page.drawn.length;
    page.player.seek(BEGIN + 65_000);
    expect(page.shown).toEqual({ ...before, exact: false });
    page.frame(400);
    expect(page.shown.kind).toBe("recorded");
    page.frame(1);
    expect(page.shown).toEqual({ ...before, kind: "buffering", exact: false });
    expect(page.drawn).toHaveLength(pictures);
    await page.last().answer(recording(BEGIN + 60_000, BEGIN + 120_000));
    expect(page.shown.kind).toBe("recorded");
  });

  test("begins anew after live: a wait of long ago is not held against the next", async () => {
    const page = new FakePage(BEGIN + 5000);
    page.frame(300);
    page.player.followLive();
    page.frame(5000);
    page.player.seek(BEGIN + 65_000);
    expect(page.shown.kind).toBe("live");
    page.frame(300);
    expect(page.shown.kind).toBe("live");
    page.frame(101);
    expect(page.shown.kind).toBe("buffering");
    await page.last().fail();
  });

  test("a failure is tried again, but not at once", async () => {
    const page = new FakePage(BEGIN + 5000);
    await page.last().fail();
    page.frame(2000);
    expect(page.asked).toHaveLength(1);
    page.frame(600);
    expect(page.asked).toHaveLength(2);
    await page.last().answer(recording(BEGIN, BEGIN + 60_000));
    expect(page.shown.kind).toBe("recorded");
  });

  test("no more than three requests are under way: the oldest is given up", () => {
    const page = new FakePage(BEGIN + 5000);
    for (const minute of [1, 2, 3]) page.player.seek(BEGIN + minute * 60_000 + 5000);
    expect(page.asked.map(({ signal }) => signal.aborted)).toEqual([true, false, false, false]);
  });

  test("a stopped player gives up its requests, hears nothing and asks for no more frames", () => {
    const page = new FakePage(BEGIN + 5000);
    page.stop();
    page.frame(16);
    expect([page.last().signal.aborted, page.listening, page.framesWanted]).toEqual([true, 0, 0]);
    const pictures = page.drawn.length;
    page.player.seek(BEGIN + 65_000);
    expect([page.drawn.length, page.asked.length]).toEqual([pictures, 1]);
  });
});

describe("gaps", () => {
  test("where nothing was recorded the last picture is drawn, and called a gap", async () => {
    const page = new FakePage(BEGIN + 30_000);
    await page.last().answer(recording(BEGIN, BEGIN + 10_000));
    expect(page.shown).toMatchObject({ kind: "gap", freshness: "silent", exact: true });
    expect(coverMs(page.drawn.at(-1)?.view ?? null)).toBe(BEGIN + 9000);
    page.player.seek(BEGIN + 5000);
    expect(page.shown.kind).toBe("recorded");
  });

  test("what is too young to be written is no gap, and is asked for again", async () => {
    const page = new FakePage(NOW - 3000);
    await page.last().answer(recording(NOW - 60_000, NOW - 10_000));
    expect(page.shown).toMatchObject({ kind: "unwritten", exact: false });
    page.frame(3000);
    expect(page.asked).toHaveLength(2);
    await page.last().answer(recording(NOW - 60_000, NOW));
    expect(page.shown.kind).toBe("recorded");
  });

  test("an empty recording is a gap with no picture at all", async () => {
    const page = new FakePage(BEGIN + 30_000);
    await page.last().answer([]);
    expect(page.shown).toMatchObject({ kind: "gap", view: null });
    expect(page.drawn.at(-1)).toEqual({ view: null, live: false });
  });
});

describe("a span", () => {
  test("is marked at the moments shown, and cleared", () => {
    const page = new FakePage(BEGIN + 5000);
    page.player.mark("from");
    page.player.step(5000);
    page.player.mark("to");
    expect(page.player.playback.get()).toMatchObject({ markFromMs: BEGIN + 5000, markToMs: BEGIN + 10_000 });
    page.player.clearMarks();
    expect(page.player.playback.get()).toMatchObject({ markFromMs: null, markToMs: null });
  });

  test("the timeline zooms around the moment shown unless another is named, and pans", () => {
    const page = new FakePage(BEGIN + 30_000, 120_000);
    const window = (): { fromMs: number; spanMs: number } => page.player.playback.get().window;
    page.player.zoom(0.5);
    expect(window()).toEqual({ fromMs: BEGIN, spanMs: 60_000 });
    page.player.zoom(2, BEGIN);
    expect(window()).toEqual({ fromMs: BEGIN, spanMs: 120_000 });
    page.player.pan(-30_000);
    expect(window().fromMs).toBe(BEGIN - 30_000);
    page.player.seekToWindowStart();
    expect(page.player.momentMs()).toBe(BEGIN - 30_000);
  });
});

interface FreshnessCase {
  readonly name: string;
  readonly messages: readonly string[];
  readonly at_wall_ns: string;
  readonly freshness: Freshness;
}

/** The vectors say what a view of everything said before is worth; a player sees what was said until the moment. */
function heardUntil(messages: readonly Uint8Array[], atMs: number): number {
  let view = NOTHING_SEEN;
  let heard = 0;
  for (const message of messages) {
    const scene = decode(message, view.grid);
    if (scene === null) throw new Error("a message was skipped");
    view = follow(view, scene);
    if (msOf(scene.head.wallNs) <= atMs) heard += 1;
  }
  return heard;
}

test.each(loadCases<FreshnessCase>("scene-stream/freshness.json").map((each) => [each.name, each] as const))(
  "a recording of the vectors is as fresh as they say: %s",
  async (_, { messages, at_wall_ns, freshness }) => {
    const atMs = msOf(BigInt(at_wall_ns));
    const recorded = messages.map(fromHex);
    const page = new FakePage(atMs);
    await page.last().answer(recorded);
    const gap = freshness === "silent" || heardUntil(recorded, atMs) === 0;
    expect(page.shown).toMatchObject(gap ? { kind: "gap", freshness: "silent" } : { kind: "recorded", freshness });
  },
);
