/**
 * How a place is drawn, as pure functions over pixels: the rule that src/privet/render follows, that the WebGL painter repeats on
 * the graphics card and that the canvas painter calls.
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

/** Between which two cells a position lies (in cells, 0 at the first centre), and how far towards the second. */
interface Between {
  readonly low: number;
  readonly high: number;
  readonly part: number;
}

function betweenCells(count: number, size: number): Between[] {
  return Array.from({ length: size }, (_, pixel) => {
    const at = Math.min(count - 1, Math.max(0, ((pixel + 0.5) * count) / size - 0.5));
    const low = Math.min(Math.floor(at), Math.max(0, count - 2));
    return { low, high: Math.min(low + 1, count - 1), part: at - low };
  });
}

/** Dims or brightens RGBA pixels of a picture in place. Without light nothing changes. */
export function applyLight(rgba: Uint8ClampedArray, widthPx: number, heightPx: number, light: Light | null): void {
  if (light === null) return;
  const cells = lightCells(light);
  const across = betweenCells(light.columns, widthPx);
  const down = betweenCells(light.rows, heightPx);
  const cell = (row: number, column: number, which: number): number => cells[2 * (row * light.columns + column) + which] ?? 0;
  let pixel = 0;
  for (const y of down) {
    for (const x of across) {
      const mix = (which: number): number => {
        const above = cell(y.low, x.low, which) * (1 - x.part) + cell(y.low, x.high, which) * x.part;
        const below = cell(y.high, x.low, which) * (1 - x.part) + cell(y.high, x.high, which) * x.part;
        return above * (1 - y.part) + below * y.part;
      };
      const gain = mix(0);
      const offset = mix(1);
      for (let channel = 0; channel < 3; channel++) {
        // The array clips.
        rgba[pixel + channel] = Math.floor((rgba[pixel + channel] ?? 0) * gain + offset + 0.5);
      }
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
  for (let y = 0; y < heightPx; y++) {
    const row = Math.floor(y / blockPx);
    for (let x = 0; x < widthPx; x++) {
      const block = row * columns + Math.floor(x / blockPx);
      const covered = cover !== null && (((cover.bytes[block >> 3] ?? 0) >> (7 - (block & 7))) & 1) === 1;
      const colour = flatColour(proven[block] === 1, covered);
      if (colour !== null) rgba.set(colour, 4 * (y * widthPx + x));
    }
  }
}
