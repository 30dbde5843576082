/**
 * Where the tiles of a wall stand. Pure. Every tile keeps its picture's aspect ratio; the arrangement that covers most of the
 * wall wins. Pinned tiles get the larger part.
 */

export interface Tile {
  readonly id: string;
  /** Width over height. */
  readonly aspect: number;
  readonly pinned: boolean;
}

/** CSS pixels; `start` counts from the side where lines of text begin. */
export interface TileBox {
  readonly id: string;
  readonly start: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface WallLayout {
  readonly boxes: readonly TileBox[];
  /** More than the wall's own if it has to scroll. */
  readonly height: number;
}

export const GAP_PX = 2;
const PINNED_PARTS = [0.5, 0.58, 0.66, 0.72, 0.78, 0.84] as const;
/** A pixel of a pinned tile counts as this many others. */
const PINNED_WORTH = 1.5;
/** Tiles narrower than this cannot be read: the wall scrolls instead. */
const MIN_TILE_PX = 180;

export function layOut(tiles: readonly Tile[], width: number, height: number): WallLayout {
  if (tiles.length === 0 || width < 1 || height < 1) return { boxes: [], height: Math.max(0, height) };
  const pinned = tiles.filter((tile) => tile.pinned);
  const others = tiles.filter((tile) => !tile.pinned);
  if (pinned.length === 0 || others.length === 0) return fit(tiles, width, height);
  const splits = PINNED_PARTS.flatMap((part) => [
    beside(pinned, others, width, height, part),
    above(pinned, others, width, height, part),
  ]);
  const best = splits.reduce((left, right) => (right.worth > left.worth ? right : left));
  return { boxes: best.boxes, height: best.height };
}

interface Split extends WallLayout {
  readonly worth: number;
}

function worthOf(large: WallLayout, small: WallLayout, height: number): number {
  const area = (wall: WallLayout): number => wall.boxes.reduce((sum, box) => sum + box.width * box.height, 0);
  // What is below the fold is worth nothing.
  const seen = (wall: WallLayout): number => area(wall) * Math.min(1, height / Math.max(1, wall.height)) ** 2;
  return PINNED_WORTH * seen(large) + seen(small);
}

function beside(pinned: readonly Tile[], others: readonly Tile[], width: number, height: number, part: number): Split {
  const start = Math.floor(width * part);
  const large = fit(pinned, start - GAP_PX, height);
  const small = fit(others, width - start, height);
  const moved = small.boxes.map((box) => ({ ...box, start: box.start + start }));
  return {
    boxes: [...large.boxes, ...moved],
    height: Math.max(large.height, small.height),
    worth: worthOf(large, small, height),
  };
}

function above(pinned: readonly Tile[], others: readonly Tile[], width: number, height: number, part: number): Split {
  const top = Math.floor(height * part);
  const large = fit(pinned, width, top - GAP_PX);
  const begin = Math.max(top, large.height + GAP_PX);
  const small = fit(others, width, Math.max(1, height - begin));
  const moved = small.boxes.map((box) => ({ ...box, top: box.top + begin }));
  const total = begin + small.height;
  return { boxes: [...large.boxes, ...moved], height: Math.max(height, total), worth: worthOf(large, small, height - begin) };
}

interface Candidate {
  readonly rows: readonly (readonly Tile[])[];
  /** Of the rows. */
  readonly heights: readonly number[];
  readonly area: number;
}

function fit(tiles: readonly Tile[], width: number, height: number): WallLayout {
  let best: Candidate | null = null;
  for (let count = 1; count <= tiles.length; count++) {
    const rows = deal(tiles, count);
    // Rows of one height first: no tile is larger than its neighbours unless that covers more of the wall.
    for (const candidate of [level(rows, width, height), full(rows, width, height)]) {
      if (narrowest(candidate) < Math.min(MIN_TILE_PX, width * 0.9)) continue;
      if (best === null || candidate.area > best.area) best = candidate;
    }
  }
  return best === null ? scrolling(tiles, width, height) : position(best, width, height);
}

/** Rows of nearly equal length, in order. */
function deal(tiles: readonly Tile[], count: number): Tile[][] {
  return Array.from({ length: count }, (_, row) =>
    tiles.slice(Math.round((row * tiles.length) / count), Math.round(((row + 1) * tiles.length) / count)),
  );
}

function rowHeight(row: readonly Tile[], width: number): number {
  return (width - GAP_PX * (row.length - 1)) / row.reduce((sum, tile) => sum + tile.aspect, 0);
}

/** Rows of one height. */
function level(rows: readonly (readonly Tile[])[], width: number, height: number): Candidate {
  const free = Math.max(rows.length, height - GAP_PX * (rows.length - 1));
  const high = Math.min(free / rows.length, ...rows.map((row) => rowHeight(row, width)));
  return candidateOf(
    rows,
    rows.map(() => high),
  );
}

/** Rows of the wall's width, or all narrower by the same factor. */
function full(rows: readonly (readonly Tile[])[], width: number, height: number): Candidate {
  const heights = rows.map((row) => rowHeight(row, width));
  const free = height - GAP_PX * (rows.length - 1);
  const scale = Math.min(1, Math.max(0.01, free / heights.reduce((sum, each) => sum + each, 0)));
  return candidateOf(
    rows,
    heights.map((each) => each * scale),
  );
}

function candidateOf(rows: readonly (readonly Tile[])[], heights: readonly number[]): Candidate {
  const area = rows.reduce(
    (sum, row, index) => sum + row.reduce((wide, tile) => wide + tile.aspect, 0) * (heights[index] ?? 0) ** 2,
    0,
  );
  return { rows, heights, area };
}

function narrowest({ rows, heights }: Candidate): number {
  return Math.min(...rows.flatMap((row, index) => row.map((tile) => tile.aspect * (heights[index] ?? 0))));
}

function position({ rows, heights }: Pick<Candidate, "rows" | "heights">, width: number, height: number): WallLayout {
  const total = heights.reduce((sum, each) => sum + each, 0) + GAP_PX * (rows.length - 1);
  let top = Math.max(0, (height - total) / 2);
  const boxes = rows.flatMap((row, index) => {
    const high = heights[index] ?? 0;
    const wide = row.reduce((sum, tile) => sum + tile.aspect * high, 0) + GAP_PX * (row.length - 1);
    let start = Math.max(0, (width - wide) / 2);
    const line = row.map((tile) => {
      const box = { id: tile.id, start, top, width: tile.aspect * high, height: high };
      start += tile.aspect * high + GAP_PX;
      return box;
    });
    top += high + GAP_PX;
    return line;
  });
  return { boxes, height };
}

function scrolling(tiles: readonly Tile[], width: number, height: number): WallLayout {
  const perRow = Math.max(1, Math.floor(width / MIN_TILE_PX));
  const rows = deal(tiles, Math.ceil(tiles.length / perRow));
  const heights = rows.map((row) => rowHeight(row, width));
  const total = heights.reduce((sum, each) => sum + each, 0) + GAP_PX * (rows.length - 1);
  return { ...position({ rows, heights }, width, total), height: Math.max(height, total) };
}

/** The tile that an arrow key leads to: the nearest whose centre lies that way. `rtl`: start is on the right. */
export function neighbour(boxes: readonly TileBox[], from: string, key: string, rtl: boolean): string | null {
  const here = boxes.find((box) => box.id === from);
  if (here === undefined) return boxes[0]?.id ?? null;
  const along = key === "ArrowLeft" || key === "ArrowRight";
  const sign = key === "ArrowRight" || key === "ArrowDown" ? 1 : -1;
  const way = along && rtl ? -sign : sign;
  const centre = (box: TileBox): [number, number] => [box.start + box.width / 2, box.top + box.height / 2];
  const [x, y] = centre(here);
  let best: { id: string; far: number } | null = null;
  for (const box of boxes) {
    const [toX, toY] = centre(box);
    const ahead = (along ? toX - x : toY - y) * way;
    const aside = Math.abs(along ? toY - y : toX - x);
    if (ahead <= 1) continue;
    const far = ahead + 3 * aside;
    if (best === null || far < best.far) best = { id: box.id, far };
  }
  return best?.id ?? null;
}
