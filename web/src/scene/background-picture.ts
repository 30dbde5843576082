/**
 * The background as a picture, decoded: with patches pasted in, and which blocks of it are proven.
 *
 * Images are decoded off the main thread. Until one is decoded its blocks count as unproven, so nothing half-made is ever shown;
 * one that cannot be decoded leaves its blocks flat for good. Pictures for small tiles are kept small: a block takes a whole
 * number of pixels at every scale, so patches paste without seams.
 */

import { eachRun, unpackBits } from "./bits";
import { sameGrid, type Grid } from "./grid";
import { sameSize, type ImageDecoder } from "./image-decoder";
import { imageSize, type ImageSize } from "./image-header";
import type { SceneView } from "./reader";
import type { Background, Patch } from "./scene";
import { blockPxFor, blockPxOf, scaledSize, type FetchFullSize } from "./full-size";

export type Surface = OffscreenCanvas;

/** Newly proven blocks appear over this long. */
export const REVEAL_MS = 900;

const RETRY_MS = [1000, 5000, 25_000] as const;

export class BackgroundPicture {
  readonly #decoder: ImageDecoder;
  readonly #fetchFullSize: FetchFullSize;
  readonly #maxWidthPx: number;
  readonly #changed: () => void;
  #wanted: SceneView | null = null;
  #busy: Promise<void> | null = null;
  #background: Background | null = null;
  #patches: readonly Patch[] = [];
  #shown: SceneView | null = null;
  /** The full-size picture of a background that came small. */
  #fullSize: { readonly of: Background; readonly image: Uint8Array } | null = null;
  #closed = false;
  /** Whether the picture is less fine than it is to be: the full-size one is on its way. */
  coarse = false;
  /** The grid that the picture was made for; a painter shows it over no other. */
  grid: Grid | null = null;
  /** The picture; null while nothing is proven or the grid is not known. */
  surface: Surface | null = null;
  /** One byte a block, 0 or 1; empty without a grid. */
  proven: Uint8Array = new Uint8Array(0);
  /** When (performance.now) each block was pasted; 0 for those that came with a whole background. */
  provenAtMs: Float64Array = new Float64Array(0);
  columns = 0;
  rows = 0;
  widthPx = 0;
  heightPx = 0;
  blockPx = 8;
  /** Grows with every change of the picture. */
  revision = 0;
  lastPasteMs = 0;

  /** maxWidthPx: the picture is kept at most about this wide; Infinity: as it came. */
  constructor(decoder: ImageDecoder, fetchFullSize: FetchFullSize, maxWidthPx: number, changed: () => void = () => undefined) {
    this.#decoder = decoder;
    this.#fetchFullSize = fetchFullSize;
    this.#maxWidthPx = maxWidthPx;
    this.#changed = changed;
  }

  /** Works towards the background and patches of `view`; resolves once they, or newer ones, are drawn. */
  show(view: SceneView): Promise<void> {
    this.#wanted = view;
    this.#shown = view;
    this.#busy ??= this.#work().finally(() => {
      this.#busy = null;
    });
    return this.#busy;
  }

  /** Nothing more is asked for. */
  close(): void {
    this.#closed = true;
  }

  /** Whether blocks are still appearing at `nowMs`. */
  revealing(nowMs: number): boolean {
    return this.lastPasteMs > 0 && nowMs - this.lastPasteMs < REVEAL_MS;
  }

  async #work(): Promise<void> {
    while (this.#wanted !== null) {
      const view = this.#wanted;
      this.#wanted = null;
      const finer = this.coarse && this.#fullSize !== null && this.#fullSize.of === view.background;
      const continues =
        !finer &&
        sameGrid(view.grid, this.grid) &&
        view.background === this.#background &&
        view.patches.length >= this.#patches.length &&
        this.#patches.every((patch, index) => view.patches[index] === patch);
      if (!continues) await this.#begin(view);
      const fresh = view.patches.slice(this.#patches.length);
      if (fresh.length > 0) {
        const { grid } = this;
        const size = (patch: Patch): ImageSize => (grid === null ? { widthPx: 0, heightPx: 0 } : rectangleSize(patch, grid));
        const images = await Promise.all(fresh.map((patch) => this.#decoder.decode(patch, patch.image, size(patch))));
        fresh.forEach((patch, index) => this.#paste(patch, images[index] ?? null));
        this.#patches = view.patches;
        this.#touch();
      }
    }
  }

  async #begin(view: SceneView): Promise<void> {
    const { background, grid } = view;
    const blockPx = grid === null ? 1 : blockPxFor(grid, this.#maxWidthPx);
    const own = grid !== null && blockPx < grid.blockPx;
    const size = grid === null ? { widthPx: 0, heightPx: 0 } : scaledSize(grid, blockPx);
    const image = background === null || background.image.length === 0 ? null : await this.#decode(background, own ? size : null);
    this.#background = background;
    this.#patches = [];
    this.grid = grid;
    if (grid === null) {
      this.surface = null;
      this.columns = this.rows = this.widthPx = this.heightPx = 0;
      this.proven = new Uint8Array(0);
      this.#touch();
      return;
    }
    const sameGridSize = grid.columns === this.columns && grid.rows === this.rows;
    const before = sameGridSize ? this.proven : null;
    const beforeAtMs = this.provenAtMs;
    this.blockPx = blockPx;
    this.columns = grid.columns;
    this.rows = grid.rows;
    const scale = this.blockPx / grid.blockPx;
    this.widthPx = size.widthPx;
    this.heightPx = size.heightPx;
    const fits = image !== null && sameGrid(background?.grid ?? null, grid);
    this.proven = fits && background !== null ? unpackBits(background.proven) : new Uint8Array(grid.columns * grid.rows);
    this.provenAtMs = new Float64Array(this.proven.length);
    // A folded background says again what patches said: what was appearing goes on appearing.
    if (before !== null) this.proven.forEach((on, block) => (this.provenAtMs[block] = on === 1 ? (beforeAtMs[block] ?? 0) : 0));
    this.surface = new OffscreenCanvas(this.widthPx, this.heightPx);
    const context = pen(this.surface);
    context.imageSmoothingQuality = "high";
    if (fits) context.drawImage(image, 0, 0, grid.widthPx * scale, grid.heightPx * scale);
    if (own || this.coarse) image?.close();
    this.#touch();
  }

  /** size: what it is to be made to; null: whole, or, until that is there, as it came. */
  #decode(background: Background, size: ImageSize | null): Promise<ImageBitmap | null> {
    this.coarse = false;
    if (size !== null) return this.#decoder.decodeSmaller(background, size);
    const { grid } = background;
    if (this.#fullSize?.of === background) return this.#decoder.decode(background, this.#fullSize.image, grid);
    const said = imageSize(background.image, background.imageType);
    if (sameSize(said, grid)) return this.#decoder.decode(background, background.image, grid);
    if (said === null || blockPxOf(grid, said) === null) return Promise.resolve(null);
    this.coarse = true;
    void this.#loadFullSize(background);
    return this.#decoder.decodeSmaller(background, said);
  }

  async #loadFullSize(background: Background): Promise<void> {
    const wanted = (): boolean => !this.#closed && this.#shown?.background === background;
    for (const retryMs of [0, ...RETRY_MS]) {
      await new Promise((done) => setTimeout(done, retryMs));
      if (!wanted()) return;
      try {
        const image = await this.#fetchFullSize(background);
        // None: another is in force, and on its way. One that is not what it should be is no better than the small one.
        if (image === null || !wanted() || !sameSize(imageSize(image, background.imageType), background.grid)) return;
        this.#fullSize = { of: background, image };
        if (this.#shown !== null) void this.show(this.#shown);
        return;
      } catch {
        // No answer: asked again in a while.
      }
    }
  }

  #paste(patch: Patch, image: ImageBitmap | null): void {
    const source = this.grid;
    if (this.surface === null || source === null) return;
    if (image === null) {
      this.#unprove(patch);
      return;
    }
    const { columns, rows } = patch.promoted;
    const { widthPx, heightPx } = rectangleSize(patch, source);
    const scale = this.blockPx / source.blockPx;
    const context = pen(this.surface);
    const nowMs = performance.now();
    eachRun(unpackBits(patch.promoted), rows, columns, (row, column, length) => {
      const left = column * source.blockPx;
      const top = row * source.blockPx;
      const width = Math.min(length * source.blockPx, widthPx - left);
      const height = Math.min(source.blockPx, heightPx - top);
      context.drawImage(
        image,
        left,
        top,
        width,
        height,
        (patch.column * source.blockPx + left) * scale,
        (patch.row * source.blockPx + top) * scale,
        width * scale,
        height * scale,
      );
      for (let index = 0; index < length; index++) {
        const block = (patch.row + row) * this.columns + patch.column + column + index;
        if (this.proven[block] !== 1) this.provenAtMs[block] = nowMs;
        this.proven[block] = 1;
      }
    });
    this.lastPasteMs = nowMs;
    image.close();
  }

  /** Blocks whose picture cannot be read are drawn as unproven: what stood there before is no longer in force. */
  #unprove(patch: Patch): void {
    const { columns, rows } = patch.promoted;
    eachRun(unpackBits(patch.promoted), rows, columns, (row, column, length) => {
      const first = (patch.row + row) * this.columns + patch.column + column;
      this.proven.fill(0, first, first + length);
    });
  }

  #touch(): void {
    this.revision += 1;
    this.#changed();
  }
}

/** The picture of a patch: its rectangle of blocks, cut at the picture's edge. */
function rectangleSize(patch: Patch, grid: Grid): ImageSize {
  return {
    widthPx: Math.min(patch.promoted.columns * grid.blockPx, grid.widthPx - patch.column * grid.blockPx),
    heightPx: Math.min(patch.promoted.rows * grid.blockPx, grid.heightPx - patch.row * grid.blockPx),
  };
}

function pen(surface: Surface): OffscreenCanvasRenderingContext2D {
  const context = surface.getContext("2d", { alpha: false });
  if (context === null) throw new Error("this browser cannot draw on a canvas");
  return context;
}
