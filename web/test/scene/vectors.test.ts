/** The TypeScript reader against vectors/scene-stream: the same data that the Python reader is held to. */

import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { bitAt, type Bitmap } from "../../src/scene/bits";
import { makeGrid, type Grid } from "../../src/scene/grid";
import { SceneMessageSchema } from "../../src/scene/pb/privet/v1/scene_pb";
import { coveredUntilWallNs, follow, NOTHING_SEEN, type SceneView } from "../../src/scene/reader";
import { msOf, type Head, type Scene } from "../../src/scene/scene";
import { recordedFreshness, type Freshness } from "../../src/scene/freshness";
import { Delimiter, StreamError } from "../../src/scene/stream";
import { decode, decodeCamera, WireError } from "../../src/scene/wire";
import { fromHex, loadCases, toHex, vectorFiles } from "../vectors";

interface GridCase {
  readonly width_px: number;
  readonly height_px: number;
  readonly block_px: number;
  readonly epoch: number;
}

interface MessageCase {
  readonly name: string;
  readonly grid: GridCase | null;
  readonly message: string;
  readonly decoded?: unknown;
  readonly rejected?: string;
  readonly skipped?: boolean;
}

interface ReaderCase {
  readonly name: string;
  readonly messages: readonly string[];
  readonly view: unknown;
  readonly rejected: readonly number[];
  readonly skipped: readonly number[];
}

interface FramingCase {
  readonly name: string;
  readonly framing: "varint" | "uint32" | "camera";
  readonly stream: string;
  readonly messages: readonly string[];
  readonly end: "clean" | "torn" | "bad";
}

function readGrid(grid: GridCase | null): Grid | null {
  return grid === null ? null : makeGrid(grid.width_px, grid.height_px, grid.block_px, grid.epoch);
}

function writeGrid(grid: Grid | null): GridCase | null {
  if (grid === null) return null;
  return { width_px: grid.widthPx, height_px: grid.heightPx, block_px: grid.blockPx, epoch: grid.epoch };
}

function writeHead(head: Head): unknown {
  return { session: String(head.session), sequence: String(head.sequence), wall_ns: String(head.wallNs) };
}

function drawn(bitmap: Bitmap): string[] {
  return Array.from({ length: bitmap.rows }, (_, row) =>
    Array.from({ length: bitmap.columns }, (__, column) => (bitAt(bitmap, row, column) ? "#" : ".")).join(""),
  );
}

function cells(bytes: Uint8Array, rows: number, columns: number): number[][] {
  return Array.from({ length: rows }, (_, row) => [...bytes.subarray(row * columns, (row + 1) * columns)]);
}

/** A scene as the vectors write it. */
function written(scene: Scene): unknown {
  const head = writeHead(scene.head);
  switch (scene.kind) {
    case "background":
      return {
        kind: "background",
        head,
        grid: writeGrid(scene.grid),
        proven: drawn(scene.proven),
        format: scene.imageType.replace("image/", ""),
        image: toHex(scene.image),
        oldest_wall_ns: String(scene.oldestWallNs),
        newest_wall_ns: String(scene.newestWallNs),
      };
    case "patch":
      return {
        kind: "patch",
        head,
        epoch: scene.epoch,
        column: scene.column,
        row: scene.row,
        promoted: drawn(scene.promoted),
        format: scene.imageType.replace("image/", ""),
        image: toHex(scene.image),
      };
    case "cover":
      return { kind: "cover", head, epoch: scene.epoch, duration_ns: String(scene.durationNs), covered: drawn(scene.covered) };
    case "light":
      return {
        kind: "light",
        head,
        epoch: scene.epoch,
        gain: cells(scene.gain, scene.rows, scene.columns),
        offset: cells(scene.offset, scene.rows, scene.columns),
      };
    case "state":
      return {
        kind: "state",
        head,
        condition: scene.condition,
        reason: scene.reason,
        cover_until_wall_ns: String(scene.coverUntilWallNs),
        grid: writeGrid(scene.grid),
        proven_blocks: scene.provenBlocks,
        blind_blocks: scene.blindBlocks,
      };
  }
}

function sequenceOf(scene: Scene | null): string | null {
  return scene === null ? null : String(scene.head.sequence);
}

function writtenView(view: SceneView): unknown {
  return {
    session: view.head === null ? null : String(view.head.session),
    sequence: view.head === null ? null : String(view.head.sequence),
    grid: writeGrid(view.grid),
    background: sequenceOf(view.background),
    patches: view.patches.map(sequenceOf),
    light: sequenceOf(view.light),
    cover: sequenceOf(view.cover),
    state: sequenceOf(view.state),
    covered_until_wall_ns: String(coveredUntilWallNs(view)),
  };
}

test("every file of vectors is read", () => {
  expect(vectorFiles("scene-stream", ".json")).toEqual(["framing.json", "freshness.json", "messages.json", "readers.json"]);
});

describe("messages", () => {
  test.each(loadCases<MessageCase>("scene-stream/messages.json").map((each) => [each.name, each] as const))("%s", (_, each) => {
    const read = (): Scene | null => decode(fromHex(each.message), readGrid(each.grid));
    if (each.rejected !== undefined) {
      let reason: string | null = null;
      try {
        read();
      } catch (error) {
        expect(error).toBeInstanceOf(WireError);
        if (error instanceof WireError) reason = error.reason;
      }
      expect(reason).toBe(each.rejected);
    } else if (each.skipped === true) {
      expect(read()).toBeNull();
    } else {
      const scene = read();
      expect(scene === null ? null : comparable(written(scene))).toEqual(comparable(each.decoded));
    }
  });
});

/** Whole numbers of any size are written as text in some places: compared as text. */
function comparable(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, each: unknown) => (key === "duration_ns" ? String(each) : each)));
}

describe("readers", () => {
  test.each(loadCases<ReaderCase>("scene-stream/readers.json").map((each) => [each.name, each] as const))("%s", (_, each) => {
    let view = NOTHING_SEEN;
    const rejected: number[] = [];
    const skipped: number[] = [];
    each.messages.forEach((message, index) => {
      try {
        const scene = decode(fromHex(message), view.grid);
        if (scene === null) skipped.push(index);
        else view = follow(view, scene);
      } catch (error) {
        if (!(error instanceof WireError)) throw error;
        rejected.push(index);
      }
    });
    expect({ rejected, skipped }).toEqual({ rejected: each.rejected, skipped: each.skipped });
    expect(writtenView(view)).toEqual(each.view);
  });
});

interface FreshnessCase {
  readonly name: string;
  readonly messages: readonly string[];
  readonly at_wall_ns: string;
  readonly freshness: Freshness;
}

test.each(loadCases<FreshnessCase>("scene-stream/freshness.json").map((each) => [each.name, each] as const))(
  "freshness: %s",
  (_, each) => {
    let view = NOTHING_SEEN;
    for (const message of each.messages) {
      const scene = decode(fromHex(message), view.grid);
      if (scene === null) throw new Error("a message was skipped");
      view = follow(view, scene);
    }
    expect(recordedFreshness(view, msOf(BigInt(each.at_wall_ns)))).toBe(each.freshness);
  },
);

describe("framing", () => {
  const cases = loadCases<FramingCase>("scene-stream/framing.json");
  // The pipe's framing (uint32) never reaches a browser.
  test.each(cases.filter((each) => each.framing === "varint").map((each) => [each.name, each] as const))("%s", (_, each) => {
    const stream = fromHex(each.stream);
    for (const chunkBytes of [1, 3, Math.max(1, stream.length)]) {
      const delimiter = new Delimiter();
      const messages: string[] = [];
      let end: string = "clean";
      for (let at = 0; at < stream.length; at += chunkBytes) {
        messages.push(...delimiter.push(stream.subarray(at, at + chunkBytes)).map(toHex));
      }
      try {
        delimiter.end();
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        end = error.end;
      }
      expect({ messages, end }).toEqual({ messages: each.messages, end: each.end });
    }
  });

  test.each(cases.filter((each) => each.framing === "camera").map((each) => [each.name, each] as const))("%s", (_, each) => {
    const { camera, message } = decodeCamera(fromHex(each.stream));
    expect(camera).toMatch(/^[a-z0-9]/);
    expect([toHex(toBinary(SceneMessageSchema, message))]).toEqual(each.messages);
  });
});
