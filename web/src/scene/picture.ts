/** Keeps one canvas showing one view: sizes it, follows the background, draws when what can be seen has changed, else not. */

import { changeOf } from "./change";
import type { FetchFullSize } from "./full-size";
import { sameGrid } from "./grid";
import { UNPROVEN } from "./compositing";
import { BackgroundPicture } from "./background-picture";
import type { SceneView } from "./reader";
import type { Renderer } from "./renderer";

const MAX_PIXEL_RATIO = 2;
/** What is about to be scrolled into view is drawn already. */
const NEAR_VIEW = { rootMargin: "50%", scrollMargin: "50%" };

export class Picture {
  readonly #renderer: Renderer;
  readonly #canvas: HTMLCanvasElement;
  readonly #target: CanvasRenderingContext2D | null;
  readonly #background: BackgroundPicture;
  readonly #sizes: ResizeObserver;
  readonly #stillness = window.matchMedia("(prefers-reduced-motion: reduce)");
  readonly #small: boolean;
  readonly #nearness: IntersectionObserver;
  #view: SceneView | null = null;
  /** Where nobody looks nothing is decoded and nothing drawn; `#owed` is what that left undone. */
  #near = false;
  #owed: "nothing" | "painting" | "background" = "nothing";
  /** Counts what the background was asked to show. */
  #asked = 0;
  /** Whether the background still works towards the view. */
  #decoding = false;
  #reveals = true;
  /** Blocks are appearing: that is seen to move. */
  #revealing = false;
  #takeBack: () => void = () => undefined;

  /** maxWidthPx: as `BackgroundPicture`. */
  constructor(renderer: Renderer, canvas: HTMLCanvasElement, maxWidthPx: number, fetchFullSize: FetchFullSize) {
    this.#renderer = renderer;
    this.#canvas = canvas;
    this.#small = maxWidthPx < Infinity;
    this.#target = canvas.getContext("2d", { alpha: false });
    this.#background = new BackgroundPicture(renderer.decoder, fetchFullSize, maxWidthPx, () => this.#dirty());
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
    this.#nearness = new IntersectionObserver((entries) => this.#look(entries.at(-1)?.isIntersecting === true), NEAR_VIEW);
    this.#nearness.observe(canvas);
  }

  /** null: nothing is known. reveals: whether blocks that are new appear slowly: live, where they are being proven. */
  show(view: SceneView | null, reveals = true): void {
    const change = changeOf(this.#view, view);
    this.#view = view;
    this.#reveals = reveals;
    if (change === "none") return;
    this.#canvas.dataset["drawn"] = "false";
    if (this.#owed !== "background") this.#owed = change;
    if (this.#near) this.#pay();
  }

  #look(near: boolean): void {
    this.#near = near;
    if (near) this.#pay();
  }

  /** Does what has come due. */
  #pay(): void {
    if (this.#owed === "nothing") return;
    if (this.#owed === "background") this.#follow();
    this.#owed = "nothing";
    this.#dirty();
  }

  #follow(): void {
    const asked = ++this.#asked;
    this.#decoding = this.#view !== null;
    if (this.#view === null) return;
    void this.#background.show(this.#view).then(() => {
      if (asked === this.#asked) this.#decoding = false;
      this.#dirty();
    });
  }

  close(): void {
    this.#takeBack();
    this.#sizes.disconnect();
    this.#nearness.disconnect();
    this.#background.close();
    this.#renderer.painter.release(this.#background);
  }

  #dirty(): void {
    this.#takeBack();
    const { frames, framesTogether } = this.#renderer;
    this.#takeBack = (this.#small && !this.#revealing ? framesTogether : frames).add(this.#drawUnlessBusy);
  }

  readonly #drawUnlessBusy = (): void => {
    if (this.#renderer.painter.busy()) this.#dirty();
    else this.#draw();
  };

  #draw(): void {
    const target = this.#target;
    if (target === null) return;
    const view = this.#view;
    // Until then what is drawn is less than the view says: blocks that are not decoded, or wait to be, count as unproven.
    if (!this.#decoding && this.#owed !== "background")
      this.#canvas.dataset["drawn"] = this.#background.coarse ? "coarse" : "true";
    const background = this.#background;
    if (view === null || background.surface === null || !sameGrid(view.grid, background.grid)) {
      target.fillStyle = `rgb(${UNPROVEN.join(" ")})`;
      target.fillRect(0, 0, this.#canvas.width, this.#canvas.height);
      return;
    }
    const nowMs = this.#stillness.matches || !this.#reveals ? Infinity : performance.now();
    this.#renderer.painter.draw(target, { background, cover: view.cover?.covered ?? null, light: view.light, nowMs });
    this.#revealing = this.#renderer.painter.reveals && background.revealing(nowMs);
    if (this.#revealing) this.#dirty();
  }
}
