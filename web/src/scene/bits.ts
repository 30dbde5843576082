/**
 * Bitmaps over blocks: row-major, most significant bit first, rows not padded. They stay packed until they are drawn, because a
 * minute of covers held open as one byte a block would cost megabytes.
 */

export interface Bitmap {
  readonly rows: number;
  readonly columns: number;
  readonly bytes: Uint8Array;
}

/** Throws RangeError unless `bytes` is exactly ceil(rows * columns / 8) long with no padding bit set. */
export function readBitmap(bytes: Uint8Array, rows: number, columns: number): Bitmap {
  const count = rows * columns;
  const length = Math.ceil(count / 8);
  if (bytes.length !== length) {
    throw new RangeError(`bitmap of ${rows} x ${columns} blocks takes ${length} bytes, found ${bytes.length}`);
  }
  const spare = length * 8 - count;
  if (spare > 0 && ((bytes[length - 1] ?? 0) & ((1 << spare) - 1)) !== 0) throw new RangeError("bitmap has a padding bit set");
  return { rows, columns, bytes };
}

export function bitAt(bitmap: Bitmap, row: number, column: number): boolean {
  const index = row * bitmap.columns + column;
  return (((bitmap.bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1) === 1;
}

/** One byte a block, 0 or 1, row-major. */
export function unpackBits(bitmap: Bitmap): Uint8Array {
  const { bytes } = bitmap;
  const out = new Uint8Array(bitmap.rows * bitmap.columns);
  for (let index = 0; index < out.length; index++) out[index] = ((bytes[index >> 3] ?? 0) >> (7 - (index & 7))) & 1;
  return out;
}

/** The inverse of `unpackBits`: any value but 0 is a set bit. */
export function packBits(blocks: Uint8Array, rows: number, columns: number): Bitmap {
  const bytes = new Uint8Array(Math.ceil((rows * columns) / 8));
  blocks.forEach((block, index) => {
    if (block !== 0) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (1 << (7 - (index & 7)));
  });
  return { rows, columns, bytes };
}

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => {
  let ones = 0;
  for (let rest = byte; rest > 0; rest >>= 1) ones += rest & 1;
  return ones;
});

/** How many blocks are set. */
export function countBits(bitmap: Bitmap): number {
  let ones = 0;
  for (const byte of bitmap.bytes) ones += ONES[byte] ?? 0;
  return ones;
}

/** Whether at least so many blocks are set; looks no further than it must. */
export function hasBits(bitmap: Bitmap, least: number): boolean {
  let ones = 0;
  for (const byte of bitmap.bytes) {
    if (byte === 0) continue;
    ones += ONES[byte] ?? 0;
    if (ones >= least) return true;
  }
  return ones >= least;
}

/** Horizontal runs of set blocks of one byte a block: calls `take(row, first column, columns)`. */
export function eachRun(
  blocks: Uint8Array,
  rows: number,
  columns: number,
  take: (row: number, column: number, length: number) => void,
): void {
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (blocks[row * columns + column] === 0) continue;
      const first = column;
      while (column < columns && blocks[row * columns + column] !== 0) column++;
      take(row, first, column - first);
    }
  }
}

/** As `eachRun`, straight from packed bits: of a cover most bytes are empty, and cost next to nothing. */
export function eachSetRun({ bytes, columns }: Bitmap, take: (row: number, column: number, length: number) => void): void {
  const give = (from: number, to: number): void => {
    for (let begin = from; begin < to;) {
      const row = Math.floor(begin / columns);
      const end = Math.min(to, (row + 1) * columns);
      take(row, begin - row * columns, end - begin);
      begin = end;
    }
  };
  let first = -1;
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index] ?? 0;
    // A run that is open goes on through a full byte, and nothing begins in an empty one.
    if (byte === (first < 0 ? 0 : 255)) continue;
    for (let bit = 0; bit < 8; bit++) {
      const on = ((byte >> (7 - bit)) & 1) === 1;
      if (on === first >= 0) continue;
      const block = 8 * index + bit;
      if (on) first = block;
      else {
        give(first, block);
        first = -1;
      }
    }
  }
  if (first >= 0) give(first, 8 * bytes.length);
}
