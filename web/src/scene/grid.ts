/** The block grid of a picture, and the packed bitmaps over it. The same as src/privet/core/grid.py. */

export const BLOCK_SIZES_PX = [8, 16, 32] as const;

const MAX_SIDE_PX = 16384;
const MAX_PICTURE_PX = 64 * 1024 * 1024;

export interface Grid {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly blockPx: number;
  readonly epoch: number;
  readonly columns: number;
  readonly rows: number;
}

/** Throws RangeError for a size or block size that the stream does not allow. */
export function makeGrid(widthPx: number, heightPx: number, blockPx: number, epoch: number): Grid {
  if (!BLOCK_SIZES_PX.some((size) => size === blockPx)) {
    throw new RangeError(`block size ${blockPx} px: take one of ${BLOCK_SIZES_PX.join(", ")}`);
  }
  if (!(widthPx >= 1 && widthPx <= MAX_SIDE_PX && heightPx >= 1 && heightPx <= MAX_SIDE_PX)) {
    throw new RangeError(`picture size ${widthPx}x${heightPx}: each side must be 1 to ${MAX_SIDE_PX} px`);
  }
  if (widthPx * heightPx > MAX_PICTURE_PX) {
    throw new RangeError(`picture size ${widthPx}x${heightPx}: at most ${MAX_PICTURE_PX} px in all`);
  }
  return { widthPx, heightPx, blockPx, epoch, columns: Math.ceil(widthPx / blockPx), rows: Math.ceil(heightPx / blockPx) };
}

export function sameGrid(a: Grid | null, b: Grid | null): boolean {
  if (a === null || b === null) return a === b;
  return a.widthPx === b.widthPx && a.heightPx === b.heightPx && a.blockPx === b.blockPx && a.epoch === b.epoch;
}
