import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeGrid } from "../../src/scene/grid";
import { ImageDecoder } from "../../src/scene/image-decoder";
import type { Background } from "../../src/scene/scene";

const GRID = makeGrid(1920, 1080, 8, 0);

/** The head of a PNG of that size: as much as is looked at before anything is decoded. */
function png(widthPx: number, heightPx: number): Uint8Array {
  const bytes = new Uint8Array(33);
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52]);
  new DataView(bytes.buffer).setUint32(16, widthPx);
  new DataView(bytes.buffer).setUint32(20, heightPx);
  return bytes;
}

function background(image: Uint8Array): Background {
  const head = { session: 1n, sequence: 1n, wallNs: 0n };
  const proven = { rows: GRID.rows, columns: GRID.columns, bytes: new Uint8Array(4050) };
  return { kind: "background", head, grid: GRID, proven, imageType: "image/png", image, oldestWallNs: 1n, newestWallNs: 1n };
}

let decoding: ((bitmap: object) => void)[] = [];
let resized: unknown[] = [];
beforeEach(() => {
  decoding = [];
  resized = [];
  vi.stubGlobal("createImageBitmap", (_: Blob, { resizeWidth }: ImageBitmapOptions) => {
    resized.push(resizeWidth);
    return new Promise((done) => decoding.push(done));
  });
});
afterEach(() => {
  vi.unstubAllGlobals();
});

const soon = (): Promise<void> => new Promise((done) => setTimeout(done, 0));

describe("images", () => {
  test("of another size than they have to be are never decoded", async () => {
    const decoder = new ImageDecoder();
    const wrong = background(png(1920, 1079));
    expect(await decoder.decode(wrong, wrong.image, GRID)).toBeNull();
    expect(await decoder.decodeSmaller(wrong, { widthPx: 480, heightPx: 270 })).toBeNull();
    const none = background(new Uint8Array(40));
    expect(await decoder.decode(none, none.image, GRID)).toBeNull();
    expect(decoding).toHaveLength(0);
  });

  test("of the last six backgrounds stay decoded, the least used goes first", () => {
    const decoder = new ImageDecoder();
    const sources = Array.from({ length: 7 }, () => background(png(1920, 1080)));
    const decode = (index: number): unknown => {
      const source = sources[index];
      return source === undefined ? null : decoder.decode(source, source.image, GRID);
    };
    const first = decode(0);
    for (let index = 1; index < 6; index++) decode(index);
    expect(decode(0)).toBe(first);
    decode(6);
    expect(decode(0)).toBe(first);
    expect(decoding).toHaveLength(7);
    decode(1);
    expect(decoding).toHaveLength(8);
  });

  test("are made smaller two at a time, and those that came small stay as they are", async () => {
    const decoder = new ImageDecoder();
    const to = { widthPx: 480, heightPx: 270 };
    const bitmaps = [png(1920, 1080), png(480, 270), png(1920, 1080)].map((image) =>
      decoder.decodeSmaller(background(image), to),
    );
    await soon();
    expect(resized).toEqual([480, undefined]);
    decoding[0]?.({});
    await soon();
    expect(resized).toEqual([480, undefined, 480]);
    for (const done of decoding) done({});
    expect(await Promise.all(bitmaps)).toEqual([{}, {}, {}]);
  });
});
