/** Draws a place with Canvas 2D alone: the lit picture is computed once per change, covers are painted over it. */

import { eachRun, unpackBits } from "./bits";
import { applyLight, COVER, COVER_UNPROVEN, paintBlocks, type Rgb } from "./look";
import type { Drawable, Painter } from "./painter";
import type { Place } from "./place";
import type { Light } from "./scene";

interface Lit {
  readonly surface: OffscreenCanvas;
  readonly revision: number;
  readonly light: Light | null;
}

export class CanvasPainter implements Painter {
  readonly #lit = new WeakMap<Place, Lit>();

  /** Nothing is left over: it draws while it is called. */
  busy(): boolean {
    return false;
  }

  draw(target: CanvasRenderingContext2D, { place, cover, light }: Drawable): void {
    const { width, height } = target.canvas;
    const lit = this.#light(place, light);
    if (lit === null) return;
    target.imageSmoothingEnabled = width !== place.widthPx || height !== place.heightPx;
    target.drawImage(lit, 0, 0, width, height);
    if (cover === null) return;
    const across = (width * place.blockPx) / place.widthPx;
    const down = (height * place.blockPx) / place.heightPx;
    eachRun(unpackBits(cover), place.rows, place.columns, (row, column, length) => {
      const top = Math.round(row * down);
      const bottom = Math.min(height, Math.round((row + 1) * down));
      for (let index = column; index < column + length; index++) {
        const left = Math.round(index * across);
        const right = Math.min(width, Math.round((index + 1) * across));
        target.fillStyle = css(place.proven[row * place.columns + index] === 1 ? COVER : COVER_UNPROVEN);
        target.fillRect(left, top, right - left, bottom - top);
      }
    });
  }

  release(place: Place): void {
    this.#lit.delete(place);
  }

  #light(place: Place, light: Light | null): OffscreenCanvas | null {
    const known = this.#lit.get(place);
    if (known?.revision === place.revision && known.light === light) return known.surface;
    const { surface, widthPx, heightPx } = place;
    const source = surface?.getContext("2d", { alpha: false });
    if (source == null) return null;
    const pixels = source.getImageData(0, 0, widthPx, heightPx);
    applyLight(pixels.data, widthPx, heightPx, light);
    paintBlocks(pixels.data, widthPx, heightPx, place.blockPx, place.proven, null);
    const lit = new OffscreenCanvas(widthPx, heightPx);
    lit.getContext("2d", { alpha: false })?.putImageData(pixels, 0, 0);
    this.#lit.set(place, { surface: lit, revision: place.revision, light });
    return lit;
  }
}

function css([red, green, blue]: Rgb): string {
  return `rgb(${red} ${green} ${blue})`;
}
