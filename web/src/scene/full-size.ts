/**
 * Backgrounds that came small, and their full size. A wall of many cameras is sent small pictures; a tile that is
 * large, and a camera's own page, ask for the large one.
 *
 * Not here: decoding, and when a large one is wanted (`background-picture.ts`).
 */

import type { Grid } from "./grid";
import type { ImageSize } from "./image-header";
import type { Background } from "./scene";

/** No picture that was made small is wider, unless a block would take less than a pixel (docs/ref/api.md, `WS /api/live`). */
export const SMALL_WIDTH_PX = 480;

/** The full-size picture of a background in force; null: another is by now. Rejects if there is no answer. */
export type FetchFullSize = (background: Background) => Promise<Uint8Array | null>;

/** The largest whole number of pixels a block can take in a picture of at most this width, or one. */
export function blockPxFor(grid: Grid, widthPx: number): number {
  return Math.max(1, Math.min(grid.blockPx, Math.floor(widthPx / grid.columns)));
}

/** The size of the picture of a grid at so many pixels a block. */
export function scaledSize(grid: Grid, blockPx: number): ImageSize {
  // Multiplied first: a quotient may be a hair more than the whole number that it is.
  const side = (px: number): number => Math.max(1, Math.ceil((px * blockPx) / grid.blockPx));
  return { widthPx: side(grid.widthPx), heightPx: side(grid.heightPx) };
}

/** How many pixels a block takes in an image of this size; null if it is neither the full-size picture nor a small one. */
export function blockPxOf(grid: Grid, size: ImageSize | null): number | null {
  const fits = (blockPx: number): boolean => {
    const { widthPx, heightPx } = scaledSize(grid, blockPx);
    return size?.widthPx === widthPx && size.heightPx === heightPx;
  };
  return [grid.blockPx, blockPxFor(grid, SMALL_WIDTH_PX)].find(fits) ?? null;
}
