/** A page for tests only: draws messages at full size with either painter and hands out the pixels. Never part of the build. */

import { CanvasPainter } from "../src/scene/canvas-painter";
import type { Painter } from "../src/scene/painter";
import { BackgroundPicture } from "../src/scene/background-picture";
import { ImageDecoder } from "../src/scene/image-decoder";
import { followMessage, NOTHING_SEEN } from "../src/scene/reader";
import { WebGlPainter } from "../src/scene/webgl-painter";
import { parseScene } from "../src/scene/wire";

export type Method = "webgl" | "canvas";

export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** RGBA, base64. */
  readonly rgba: string;
}

declare global {
  interface Window {
    privetDraw: (messagesHex: readonly string[], method: Method) => Promise<Pixels>;
    privetPicture: (imageBase64: string) => Promise<Pixels>;
  }
}

function painterFor(method: Method): Painter {
  if (method === "canvas") return new CanvasPainter();
  const painter = WebGlPainter.create(() => {
    throw new Error("the WebGL context was lost");
  }, true);
  if (painter === null) throw new Error("there is no WebGL 2 here");
  return painter;
}

const decoder = new ImageDecoder();
const painters = new Map<Method, Painter>();

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

function pixelsOf(context: CanvasRenderingContext2D): Pixels {
  const { width, height } = context.canvas;
  const { data } = context.getImageData(0, 0, width, height);
  let text = "";
  for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192));
  return { width, height, rgba: btoa(text) };
}

function canvasOf(width: number, height: number): CanvasRenderingContext2D {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { alpha: false, willReadFrequently: true });
  if (context === null) throw new Error("there is no canvas here");
  return context;
}

window.privetDraw = async (messagesHex, method) => {
  let view = NOTHING_SEEN;
  for (const hex of messagesHex) {
    view = followMessage(view, parseScene(bytesOf(hex)), (error) => {
      throw error;
    });
  }
  if (view.grid === null) throw new Error("no message named a grid");
  const background = new BackgroundPicture(decoder, () => Promise.resolve(null), Infinity);
  await background.show(view);
  const target = canvasOf(view.grid.widthPx, view.grid.heightPx);
  const painter = painters.get(method) ?? painterFor(method);
  painters.set(method, painter);
  painter.draw(target, { background, cover: view.cover?.covered ?? null, light: view.light, nowMs: Infinity });
  painter.release(background);
  return pixelsOf(target);
};

window.privetPicture = async (imageBase64) => {
  const bytes = Uint8Array.from(atob(imageBase64), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  const target = canvasOf(bitmap.width, bitmap.height);
  target.drawImage(bitmap, 0, 0);
  return pixelsOf(target);
};
