/**
 * What a painter is given. There are two (`renderer.ts` chooses): WebGL, and plain canvas where no graphics card draws
 * WebGL.
 */

import type { Bitmap } from "./bits";
import type { BackgroundPicture } from "./background-picture";
import type { Light } from "./scene";

/** A picture to draw: a background, what covers it, how it is lit. */
export interface Drawable {
  readonly background: BackgroundPicture;
  readonly cover: Bitmap | null;
  readonly light: Light | null;
  /** For blocks that are just appearing; Infinity draws them at once. */
  readonly nowMs: number;
}

export interface Painter {
  /** Whether blocks that are new appear slowly: then they are drawn again until they have. */
  readonly reveals: boolean;
  /** Fills the whole of `target`. */
  draw(target: CanvasRenderingContext2D, drawable: Drawable): void;
  /** Whether what was drawn before is still being drawn: whoever draws on regardless piles up work and falls further behind. */
  busy(): boolean;
  /** Gives back what is held for a background. */
  release(background: BackgroundPicture): void;
}
