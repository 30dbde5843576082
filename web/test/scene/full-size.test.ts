import { create, toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { makeGrid } from "../../src/scene/grid";
import { LiveScenes } from "../../src/scene/live";
import { CameraMessageSchema, ImageFormat } from "../../src/scene/pb/privet/v1/scene_pb";
import { blockPxFor, blockPxOf, scaledSize, SMALL_WIDTH_PX } from "../../src/scene/full-size";

const grid = makeGrid(1920, 1080, 8, 0);

describe("the size of small pictures", () => {
  test("is what the server makes", () => {
    const sizes = [
      [3840, 2160],
      [1920, 1080],
      [1280, 720],
      [640, 360],
      [480, 270],
    ] as const;
    expect(sizes.map(([width, height]) => blockPxFor(makeGrid(width, height, 8, 0), SMALL_WIDTH_PX))).toEqual([1, 2, 3, 6, 8]);
    expect(scaledSize(grid, 2)).toEqual({ widthPx: 480, heightPx: 270 });
    expect(scaledSize(makeGrid(1001, 563, 8, 0), 3)).toEqual({ widthPx: 376, heightPx: 212 });
  });

  test("is told from the whole picture's, and from what is neither", () => {
    expect(blockPxOf(grid, { widthPx: 1920, heightPx: 1080 })).toBe(8);
    expect(blockPxOf(grid, { widthPx: 480, heightPx: 270 })).toBe(2);
    expect(blockPxOf(grid, { widthPx: 480, heightPx: 271 })).toBeNull();
    expect(blockPxOf(grid, null)).toBeNull();
  });
});

test("of a background that came live the full-size picture can be asked for", async () => {
  const asked: string[] = [];
  let deliver: ((event: MessageEvent) => void) | null = null;
  const live = new LiveScenes("ws://x/api/live", {
    connect: () => ({
      binaryType: "blob",
      onopen: null,
      set onmessage(take: (event: MessageEvent) => void) {
        deliver = take;
      },
      onclose: null,
      close: () => undefined,
    }),
    nowMs: () => 0,
    random: () => 0,
    later: () => () => undefined,
    login: () => undefined,
    fullSize: (camera, { head }) => {
      asked.push(`${camera} ${head.session} ${head.sequence}`);
      return Promise.resolve(asked.length === 1 ? Uint8Array.of(1, 2, 3) : null);
    },
  });
  const background = {
    head: { session: 2n ** 63n + 1n, sequence: 7n, wallNs: 5n },
    grid: { widthPx: 16, heightPx: 8, blockPx: 8, epoch: 0 },
    proven: Uint8Array.of(0xc0),
    format: ImageFormat.WEBP,
    image: Uint8Array.of(9),
    oldestWallNs: 1n,
    newestWallNs: 1n,
  };
  const scene = { kind: { case: "background", value: background } } as const;
  const data = toBinary(CameraMessageSchema, create(CameraMessageSchema, { camera: "gate", scene }));
  (deliver as ((event: MessageEvent) => void) | null)?.(new MessageEvent("message", { data: new Uint8Array(data).buffer }));
  const known = live.view("gate")?.view.background;
  if (known == null) throw new Error("no background was taken");
  expect(await live.fullSize("gate", known)).toEqual(Uint8Array.of(1, 2, 3));
  expect(await live.fullSize("gate", known)).toBeNull();
  expect(asked).toEqual([`gate ${2n ** 63n + 1n} 7`, `gate ${2n ** 63n + 1n} 7`]);
});
