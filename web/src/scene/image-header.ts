/** What an image says of itself before a pixel of it is decoded: format and size. Only the two formats of the scene stream. */

import type { ImageType } from "./scene";

export interface ImageSize {
  readonly widthPx: number;
  readonly heightPx: number;
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] as const;

/** null: not an image of that type, or one that moves. */
export function imageSize(bytes: Uint8Array, type: ImageType): ImageSize | null {
  return type === "image/png" ? pngSize(bytes) : webpSize(bytes);
}

function pngSize(bytes: Uint8Array): ImageSize | null {
  if (bytes.length < 33 || !PNG.every((byte, index) => bytes[index] === byte) || text(bytes, 12) !== "IHDR") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return { widthPx: view.getUint32(16), heightPx: view.getUint32(20) };
}

function webpSize(bytes: Uint8Array): ImageSize | null {
  if (bytes.length < 30 || text(bytes, 0) !== "RIFF" || text(bytes, 8) !== "WEBP") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (text(bytes, 12)) {
    case "VP8 ":
      return { widthPx: view.getUint16(26, true) & 0x3fff, heightPx: view.getUint16(28, true) & 0x3fff };
    case "VP8L": {
      const bits = view.getUint32(21, true);
      return { widthPx: (bits & 0x3fff) + 1, heightPx: ((bits >>> 14) & 0x3fff) + 1 };
    }
    case "VP8X": {
      const moves = (view.getUint8(20) & 0x02) !== 0;
      const size = (at: number): number => (view.getUint16(at, true) | (view.getUint8(at + 2) << 16)) + 1;
      return moves ? null : { widthPx: size(24), heightPx: size(27) };
    }
    default:
      return null;
  }
}

function text(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}
