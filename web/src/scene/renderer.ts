/** What all pictures of a page share: one painter, one decoder of images, and the frames they are drawn in. */

import { CanvasPainter } from "./canvas-painter";
import { FrameScheduler, TOGETHER_EVERY_MS } from "./frame-scheduler";
import { ImageDecoder } from "./image-decoder";
import type { Painter } from "./painter";
import { WebGlPainter } from "./webgl-painter";

export class Renderer {
  readonly decoder = new ImageDecoder();
  /** Every frame of the browser. */
  readonly frames = new FrameScheduler(0);
  /** Those in which small pictures are drawn, together. */
  readonly framesTogether = new FrameScheduler(TOGETHER_EVERY_MS);
  #painter: Painter | null = null;

  /** One draws every tile: browsers allow few WebGL contexts. A lost context is replaced by the canvas painter. */
  get painter(): Painter {
    this.#painter ??= WebGlPainter.create(() => (this.#painter = new CanvasPainter())) ?? new CanvasPainter();
    return this.#painter;
  }
}
