import { expect, test } from "vitest";
import { imageSize } from "../../src/scene/image-header";
import { loadCases, readVector, vectorFiles } from "../vectors";

interface DrawCase {
  readonly width_px: number;
  readonly height_px: number;
  readonly picture: string;
}

test("the sizes of the vectors' pictures are read without decoding them", () => {
  for (const { picture, width_px, height_px } of loadCases<DrawCase>("render/cases.json")) {
    expect(imageSize(readVector(`render/${picture}`), "image/png")).toEqual({ widthPx: width_px, heightPx: height_px });
  }
  for (const name of vectorFiles("render", ".webp")) {
    const size = imageSize(readVector(`render/${name}`), "image/webp");
    expect(Math.min(size?.widthPx ?? 0, size?.heightPx ?? 0)).toBeGreaterThan(0);
  }
});

test("what is not an image of the type it says has no size", () => {
  const png = readVector(`render/${vectorFiles("render", ".png")[0] ?? ""}`);
  expect(imageSize(png, "image/webp")).toBeNull();
  expect(imageSize(png.subarray(0, 20), "image/png")).toBeNull();
  expect(imageSize(new Uint8Array(0), "image/webp")).toBeNull();
});
