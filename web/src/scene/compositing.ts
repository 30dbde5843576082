/**
 * How the parts of a scene become one picture, as pure functions over pixels: the rule that src/privet/render follows, that the
 * WebGL painter repeats on the graphics card and that the canvas painter calls.
 *
 * The rule:
 * - picture = the decoded sRGB background with the patches pasted in, promoted blocks only;
 * - shown = clip(floor(picture * gain + offset + 0.5), 0, 255) per channel, gain = 2 ^ ((g - 128) / 32), offset = o - 128;
 *   gain and offset are bilinearly interpolated between cell centres, at pixel centres. The centre of cell i of n over a width w
 *   lies at (i + 0.5) * w / n; outside the outermost centres the outermost value holds;
 * - then blocks are painted flat: unproven UNPROVEN, covered COVER, unproven and covered COVER_UNPROVEN. Blind blocks are
 *   unproven. Edges of blocks are not smoothed.
 */

import type { Bitmap } from "./bits";
import type { Light } from "./scene";

export type Rgb = readonly [number, number, number];

export const UNPROVEN: Rgb = [58, 52, 40];
export const COVER: Rgb = [122, 139, 158];
export const COVER_UNPROVEN: Rgb = [96, 104, 112];

/** A byte a cell to a factor. */
export function gainOf(byte: number): number {
  return 2 ** ((byte - 128) / 32);
}

/** A byte a cell to sRGB levels. */
export function offsetOf(byte: number): number {
  return byte - 128;
}

/** Gain and offset of every cell, interleaved, row-major: float32 of rows * columns * 2. */
export function lightCells(light: Light): Float32Array {
  const cells = new Float32Array(light.rows * light.columns * 2);
  for (let index = 0; index < light.rows * light.columns; index++) {
    cells[2 * index] = gainOf(light.gain[index] ?? 128);
    cells[2 * index + 1] = offsetOf(light.offset[index] ?? 128);
  }
  return cells;
}

/** Between which two cells each pixel lies, and how far towards the second. */
interface Between {
  readonly low: Uint8Array;
  readonly high: Uint8Array;
  readonly part: Float64Array;
}

function betweenCells(count: number, size: number): Between {
  const low = new Uint8Array(size);
  const high = new Uint8Array(size);
  const part = new Float64Array(size);
  for (let pixel = 0; pixel < size; pixel++) {
    // In cells, 0 at the first centre.
    const at = Math.min(count - 1, Math.max(0, ((pixel + 0.5) * count) / size - 0.5));
    const below = Math.min(Math.floor(at), Math.max(0, count - 2));
    low[pixel] = below;
    high[pixel] = Math.min(below + 1, count - 1);
    part[pixel] = at - below;
  }
  return { low, high, part };
}

/**
 * Dims or brightens RGBA pixels of a picture in place. Without light nothing changes. Every pixel is gone through with every
 * change of light of a hundred cameras: hence plain loops, and each line's cells put together before its pixels.
 */
export function applyLight(rgba: Uint8ClampedArray, widthPx: number, heightPx: number, light: Light | null): void {
  if (light === null) return;
  const cells = lightCells(light);
  const across = betweenCells(light.columns, widthPx);
  const down = betweenCells(light.rows, heightPx);
  const line = new Float64Array(2 * light.columns);
  let pixel = 0;
  for (let y = 0; y < heightPx; y++) {
    const above = 2 * light.columns * (down.low[y] ?? 0);
    const below = 2 * light.columns * (down.high[y] ?? 0);
    const part = down.part[y] ?? 0;
    for (let cell = 0; cell < line.length; cell++) {
      line[cell] = (cells[above + cell] ?? 0) * (1 - part) + (cells[below + cell] ?? 0) * part;
    }
    for (let x = 0; x < widthPx; x++) {
      const left = 2 * (across.low[x] ?? 0);
      const right = 2 * (across.high[x] ?? 0);
      const towards = across.part[x] ?? 0;
      const gain = (line[left] ?? 0) * (1 - towards) + (line[right] ?? 0) * towards;
      const offset = (line[left + 1] ?? 0) * (1 - towards) + (line[right + 1] ?? 0) * towards + 0.5;
      // The array clips.
      rgba[pixel] = Math.floor((rgba[pixel] ?? 0) * gain + offset);
      rgba[pixel + 1] = Math.floor((rgba[pixel + 1] ?? 0) * gain + offset);
      rgba[pixel + 2] = Math.floor((rgba[pixel + 2] ?? 0) * gain + offset);
      pixel += 4;
    }
  }
}

/** The flat colour of a block, or null where the lit picture shows. */
export function flatColour(proven: boolean, covered: boolean): Rgb | null {
  if (covered) return proven ? COVER : COVER_UNPROVEN;
  return proven ? null : UNPROVEN;
}

/** Paints flat blocks over RGBA pixels in place; a block takes `blockPx` pixels of this picture. */
export function paintBlocks(
  rgba: Uint8ClampedArray,
  widthPx: number,
  heightPx: number,
  blockPx: number,
  proven: Uint8Array,
  cover: Bitmap | null,
): void {
  const columns = Math.ceil(widthPx / blockPx);
  const rows = Math.ceil(heightPx / blockPx);
  for (let row = 0, block = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++, block++) {
      const covered = cover !== null && (((cover.bytes[block >> 3] ?? 0) >> (7 - (block & 7))) & 1) === 1;
      const colour = flatColour(proven[block] === 1, covered);
      if (colour === null) continue;
      const right = Math.min(widthPx, (column + 1) * blockPx);
      const bottom = Math.min(heightPx, (row + 1) * blockPx);
      for (let y = row * blockPx; y < bottom; y++) {
        for (let x = column * blockPx; x < right; x++) rgba.set(colour, 4 * (y * widthPx + x));
      }
    }
  }
}
