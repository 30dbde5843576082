/**
 * Decodes the images of backgrounds and patches, off the main thread. null everywhere: not an image of the format and size it has
 * to be, which is seen before a pixel is decoded.
 */

import { blockPxOf } from "./full-size";
import { imageSize, type ImageSize } from "./image-header";
import type { Background, Patch } from "./scene";
import { Semaphore } from "./semaphore";

/** The last few whole images stay decoded: scrubbing asks for the same ones again and again. */
const KEPT = 6;
/** A hundred pictures of 1080p decoded at once would take a gigabyte until they are made smaller. */
const SMALLER_AT_ONCE = 2;
/** Each picture of a page waits for one image at most; a wall holds a few hundred. Beyond that an image counts as unreadable. */
const SMALLER_WAITING = 1024;

export class ImageDecoder {
  /** By source, the least recently used first. */
  readonly #kept = new Map<Background | Patch, Promise<ImageBitmap | null>>();
  readonly #smaller = new Semaphore(SMALLER_AT_ONCE, SMALLER_WAITING);

  /** `image` at its own size, which has to be `size`. Of a background it is kept, and belongs to the decoder. */
  decode(source: Background | Patch, image: Uint8Array, size: ImageSize): Promise<ImageBitmap | null> {
    const known = this.#kept.get(source);
    if (known !== undefined) {
      this.#kept.delete(source);
      this.#kept.set(source, known);
      return known;
    }
    if (!sameSize(imageSize(image, source.imageType), size)) return Promise.resolve(null);
    const bitmap = readImage(source, image);
    if (source.kind === "background") {
      this.#kept.set(source, bitmap);
      for (const oldest of this.#kept.keys()) {
        if (this.#kept.size <= KEPT) break;
        this.#kept.delete(oldest);
      }
    }
    return bitmap;
  }

  /** As `decode`, made to this size and not kept: nobody scrubs a wall. The image came at full size or small. */
  decodeSmaller(source: Background, to: ImageSize): Promise<ImageBitmap | null> {
    const said = imageSize(source.image, source.imageType);
    if (blockPxOf(source.grid, said) === null) return Promise.resolve(null);
    const options: ImageBitmapOptions = { resizeWidth: to.widthPx, resizeHeight: to.heightPx, resizeQuality: "medium" };
    return this.#smaller.run(() => readImage(source, source.image, sameSize(said, to) ? {} : options)).catch(() => null);
  }
}

function readImage(source: Background | Patch, image: Uint8Array, smaller: ImageBitmapOptions = {}): Promise<ImageBitmap | null> {
  const blob = new Blob([new Uint8Array(image)], { type: source.imageType });
  return createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none", ...smaller }).catch(() => null);
}

export function sameSize(one: ImageSize | null, other: ImageSize): boolean {
  return one?.widthPx === other.widthPx && one.heightPx === other.heightPx;
}
