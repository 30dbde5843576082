/** Keeps one canvas showing one view: sizes it, follows the place, draws when something changed and not otherwise. */

import { inNextFrame } from "./frames";
import { sameGrid } from "./grid";
import { UNPROVEN } from "./look";
import { sharedPainter } from "./painter";
import { Place } from "./place";
import type { SceneView } from "./reader";

const MAX_PIXEL_RATIO = 2;

export class Picture {
  readonly #canvas: HTMLCanvasElement;
  readonly #target: CanvasRenderingContext2D | null;
  readonly #place: Place;
  readonly #sizes: ResizeObserver;
  readonly #stillness = window.matchMedia("(prefers-reduced-motion: reduce)");
  #view: SceneView | null = null;
  /** The view whose background and patches are all decoded. */
  #decoded: SceneView | null = null;
  #reveals = true;
  #takeBack: () => void = () => undefined;

  /** maxWidthPx: as `Place`. */
  constructor(canvas: HTMLCanvasElement, maxWidthPx: number) {
    this.#canvas = canvas;
    this.#target = canvas.getContext("2d", { alpha: false });
    this.#place = new Place(maxWidthPx, () => this.#dirty());
    this.#sizes = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const ratio = Math.min(MAX_PIXEL_RATIO, window.devicePixelRatio);
      const width = Math.max(1, Math.round(entry.contentRect.width * ratio));
      const height = Math.max(1, Math.round(entry.contentRect.height * ratio));
      if (canvas.width === width && canvas.height === height) return;
      canvas.width = width;
      canvas.height = height;
      // Resizing blanks a canvas: drawn before the browser shows it.
      this.#draw();
    });
    this.#sizes.observe(canvas);
  }

  /** null: nothing is known. reveals: whether blocks that are new appear slowly: live, where they are being proven. */
  show(view: SceneView | null, reveals = true): void {
    if (view === this.#view && reveals === this.#reveals) return;
    this.#view = view;
    this.#reveals = reveals;
    this.#canvas.dataset["drawn"] = "false";
    if (view === null) this.#decoded = null;
    else {
      void this.#place.show(view).then(() => {
        this.#decoded = view;
        this.#dirty();
      });
    }
    this.#dirty();
  }

  close(): void {
    this.#takeBack();
    this.#sizes.disconnect();
    sharedPainter().release(this.#place);
  }

  #dirty(): void {
    this.#takeBack = inNextFrame(() => {
      if (sharedPainter().busy()) this.#dirty();
      else this.#draw();
    });
  }

  #draw(): void {
    const target = this.#target;
    if (target === null) return;
    const view = this.#view;
    // Until then what is drawn is less than the view says: blocks that are not decoded count as unproven.
    if (view === this.#decoded) this.#canvas.dataset["drawn"] = "true";
    const place = this.#place;
    if (view === null || place.surface === null || !sameGrid(view.grid, place.grid)) {
      target.fillStyle = `rgb(${UNPROVEN.join(" ")})`;
      target.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
      return;
    }
    const nowMs = this.#stillness.matches || !this.#reveals ? Infinity : performance.now();
    sharedPainter().draw(target, { place, cover: view.cover?.covered ?? null, light: view.light, nowMs });
    if (place.revealing(nowMs)) this.#dirty();
  }
}
