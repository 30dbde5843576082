/**
 * Draws a scene with Canvas 2D alone. The lit background is computed once per change and kept at the size it is drawn at, so that
 * a cover costs a copy and some rectangles: a wall of a hundred tiles is drawn by the processor.
 */

import { eachSetRun } from "./bits";
import { applyLight, COVER, COVER_UNPROVEN, paintBlocks, type Rgb } from "./compositing";
import type { Drawable, Painter } from "./painter";
import type { BackgroundPicture } from "./background-picture";
import type { Light } from "./scene";

interface Lit {
  readonly surface: OffscreenCanvas;
  readonly revision: number;
  readonly light: Light | null;
}

const COVER_CSS = css(COVER);
const COVER_UNPROVEN_CSS = css(COVER_UNPROVEN);

export class CanvasPainter implements Painter {
  readonly reveals = false;
  readonly #lit = new WeakMap<BackgroundPicture, Lit>();
  /** Where a picture is lit before it is made smaller: one for all. */
  #scratch: OffscreenCanvas | null = null;

  /** Nothing is left over: it draws while it is called. */
  busy(): boolean {
    return false;
  }

  draw(target: CanvasRenderingContext2D, { background, cover, light }: Drawable): void {
    const { width, height } = target.canvas;
    const lit = this.#light(background, light, width, height);
    if (lit === null) return;
    target.imageSmoothingEnabled = false;
    target.drawImage(lit, 0, 0);
    if (cover === null) return;
    const { proven, columns } = background;
    const across = (width * background.blockPx) / background.widthPx;
    const down = (height * background.blockPx) / background.heightPx;
    eachSetRun(cover, (row, column, length) => {
      const top = Math.round(row * down);
      const bottom = Math.min(height, Math.round((row + 1) * down));
      const end = column + length;
      // Blocks beside one another are one rectangle as long as they have one colour: so is almost every silhouette's line.
      for (let from = column, to = column; from < end; from = to) {
        const known = proven[row * columns + from];
        while (to < end && proven[row * columns + to] === known) to++;
        const left = Math.round(from * across);
        const right = Math.min(width, Math.round(to * across));
        target.fillStyle = known === 1 ? COVER_CSS : COVER_UNPROVEN_CSS;
        target.fillRect(left, top, right - left, bottom - top);
      }
    });
  }

  release(background: BackgroundPicture): void {
    this.#lit.delete(background);
  }

  #light(background: BackgroundPicture, light: Light | null, width: number, height: number): OffscreenCanvas | null {
    const known = this.#lit.get(background);
    const fits = known?.surface.width === width && known.surface.height === height;
    if (fits && known.revision === background.revision && known.light === light) return known.surface;
    const { surface, widthPx, heightPx } = background;
    const source = surface?.getContext("2d", { alpha: false });
    if (source == null || width === 0 || height === 0) return null;
    const pixels = source.getImageData(0, 0, widthPx, heightPx);
    applyLight(pixels.data, widthPx, heightPx, light);
    // Flat before it is made smaller: of what is below an unproven block nothing may run into its neighbours.
    paintBlocks(pixels.data, widthPx, heightPx, background.blockPx, background.proven, null);
    const lit = fits ? known.surface : new OffscreenCanvas(width, height);
    const pen = lit.getContext("2d", { alpha: false });
    if (width === widthPx && height === heightPx) pen?.putImageData(pixels, 0, 0);
    else pen?.drawImage(this.#put(pixels), 0, 0, widthPx, heightPx, 0, 0, width, height);
    this.#lit.set(background, { surface: lit, revision: background.revision, light });
    return lit;
  }

  #put(pixels: ImageData): OffscreenCanvas {
    const scratch = (this.#scratch ??= new OffscreenCanvas(pixels.width, pixels.height));
    if (scratch.width !== pixels.width) scratch.width = pixels.width;
    if (scratch.height !== pixels.height) scratch.height = pixels.height;
    scratch.getContext("2d", { alpha: false, willReadFrequently: true })?.putImageData(pixels, 0, 0);
    return scratch;
  }
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
