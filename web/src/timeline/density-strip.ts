/**
 * Draws the strip: density above, the camera's conditions as a line below it, ticks under both.
 *
 * Conditions are told apart by pattern first and colour second: watched is a solid line, looked at seldom a row of squares, quiet
 * a dotted line, blind is hatched, offline is barred, what was not recorded is an empty thin dash.
 */

import type { SpanKind, Timeline } from "../api/client";
import { clockText } from "../time/zone";
import type { Tick } from "./ticks";
import { xAt, type Window } from "./window";

export interface Palette {
  readonly ground: string;
  readonly rule: string;
  readonly strong: string;
  readonly text: string;
  readonly quiet: string;
  readonly green: string;
  readonly amber: string;
  readonly silhouette: string;
  readonly select: string;
  readonly font: string;
}

export interface DensityStrip {
  readonly widthPx: number;
  readonly heightPx: number;
  readonly window: Window;
  readonly timeline: Timeline | null;
  readonly ticks: readonly Tick[];
  readonly zone: string;
  readonly atMs: number;
  readonly nowMs: number;
  readonly live: boolean;
  readonly span: { readonly fromMs: number | null; readonly toMs: number | null };
  readonly dayText: (atMs: number) => string;
}

/** Height of the ruler with the ticks, where dragging pans. */
export const RULER_PX = 26;
export const CONDITIONS_PX = 8;

export function drawDensityStrip(pen: CanvasRenderingContext2D, strip: DensityStrip, palette: Palette): void {
  const { widthPx, heightPx, window } = strip;
  const floor = heightPx - RULER_PX;
  pen.clearRect(0, 0, widthPx, heightPx);
  const x = (atMs: number): number => xAt(window, atMs, widthPx);
  drawTicks(pen, strip, palette, x, floor);
  if (strip.timeline !== null) {
    drawDensity(pen, strip.timeline, palette, x, floor - CONDITIONS_PX - 6, widthPx);
    for (const span of strip.timeline.spans) {
      const left = Math.max(0, x(span.from_ms));
      const right = Math.min(widthPx, Math.min(x(span.to_ms), x(strip.nowMs)));
      if (right > left)
        drawKind(pen, span.kind, palette, left, floor - CONDITIONS_PX - 2, Math.max(1, right - left), CONDITIONS_PX);
    }
  }
  pen.fillStyle = palette.rule;
  pen.fillRect(0, floor, widthPx, 1);
  drawFuture(pen, x(strip.nowMs), floor, widthPx, palette);
  drawSpan(pen, strip, palette, x, floor);
  drawHead(pen, palette, x(strip.atMs), floor);
}

function drawDensity(
  pen: CanvasRenderingContext2D,
  timeline: Timeline,
  palette: Palette,
  x: (atMs: number) => number,
  floor: number,
  widthPx: number,
): void {
  pen.fillStyle = palette.silhouette;
  // Whole pixels, side by side: bins are finer than what is summarised, and gaps between them would say that nothing was there.
  const edge = (index: number): number => Math.round(x(timeline.from_ms + index * timeline.bin_ms));
  timeline.density.forEach((share, index) => {
    if (share === null || share <= 0) return;
    const left = edge(index);
    const right = Math.max(left + 1, edge(index + 1));
    if (left > widthPx || right < 0) return;
    // A hand's breadth and a crowd must both be seen: the square root of the share, and never less than two pixels.
    const height = Math.max(2, Math.round(Math.min(1, Math.sqrt(share) * 1.6) * (floor - 8)));
    pen.fillRect(left, floor - height, right - left, height);
  });
}

/** One condition over a rectangle. The legend draws with it too. */
export function drawKind(
  pen: CanvasRenderingContext2D,
  kind: SpanKind,
  palette: Palette,
  left: number,
  top: number,
  width: number,
  height: number,
): void {
  const middle = Math.round(top + height / 2) - 1;
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
  switch (kind) {
    case "awake":
      pen.fillStyle = palette.green;
      pen.fillRect(left, middle - 1, width, 3);
      break;
    case "sparse":
      pen.fillStyle = palette.amber;
      for (let at = begin(left, width, 8); at < left + width; at += 8) pen.fillRect(at, middle - 1, 3, 3);
      break;
    case "asleep":
      pen.fillStyle = palette.green;
      for (let at = begin(left, width, 6); at < left + width; at += 6) pen.fillRect(at, middle, 3, 1);
      break;
    case "blind":
      pen.strokeStyle = palette.amber;
      pen.lineWidth = 1.5;
      pen.beginPath();
      for (let at = Math.floor(left / 5) * 5 - height; at < left + width; at += 5) {
        pen.moveTo(at, top + height);
        pen.lineTo(at + height, top);
      }
      pen.stroke();
      break;
    case "offline":
      pen.fillStyle = palette.amber;
      for (let at = begin(left, width, 8); at < left + width; at += 8) pen.fillRect(at, top, 2, height);
      break;
    case "gap":
      pen.fillStyle = palette.strong;
      for (let at = begin(left, width, 14); at < left + width; at += 14) pen.fillRect(at, middle, 7, 1);
      break;
  }
  pen.restore();
}

/** Where a pattern begins: on a raster, so that neighbours join; if shorter than a step, at its own left, so that it shows. */
function begin(left: number, width: number, step: number): number {
  return width < step ? left : Math.floor(left / step) * step;
}

function drawTicks(
  pen: CanvasRenderingContext2D,
  strip: DensityStrip,
  palette: Palette,
  x: (atMs: number) => number,
  floor: number,
): void {
  pen.font = `12px ${palette.font}`;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  pen.direction = "ltr";
  for (const tick of strip.ticks) {
    const at = Math.round(x(tick.atMs));
    pen.fillStyle = tick.label === "day" ? palette.strong : palette.rule;
    pen.fillRect(at, tick.label === "day" ? 0 : floor - 4, 1, strip.heightPx - (tick.label === "day" ? 0 : floor - 4));
    pen.fillStyle = tick.label === "day" ? palette.text : palette.quiet;
    const text = tick.label === "day" ? strip.dayText(tick.atMs) : clockText(strip.zone, tick.atMs, tick.label === "second");
    pen.fillText(text, at + 6, floor + RULER_PX / 2 + 1);
  }
}

function drawFuture(pen: CanvasRenderingContext2D, nowX: number, floor: number, widthPx: number, palette: Palette): void {
  if (nowX >= widthPx) return;
  pen.fillStyle = palette.strong;
  pen.fillRect(Math.round(nowX), 0, 1, floor);
}

function drawSpan(
  pen: CanvasRenderingContext2D,
  strip: DensityStrip,
  palette: Palette,
  x: (atMs: number) => number,
  floor: number,
): void {
  const { fromMs, toMs } = strip.span;
  pen.fillStyle = palette.select;
  if (fromMs !== null && toMs !== null) {
    pen.globalAlpha = 0.12;
    pen.fillRect(x(Math.min(fromMs, toMs)), 0, Math.max(1, Math.abs(x(toMs) - x(fromMs))), floor);
    pen.globalAlpha = 1;
  }
  for (const [atMs, side] of [
    [fromMs, 1],
    [toMs, -1],
  ] as const) {
    if (atMs === null) continue;
    const at = Math.round(x(atMs));
    pen.fillRect(at, 0, 1, floor);
    pen.fillRect(Math.min(at, at + side * 6), 0, 6, 2);
    pen.fillRect(Math.min(at, at + side * 6), floor - 2, 6, 2);
  }
}

function drawHead(pen: CanvasRenderingContext2D, palette: Palette, at: number, floor: number): void {
  const left = Math.round(at);
  pen.fillStyle = palette.select;
  pen.fillRect(left - 1, 0, 2, floor);
  pen.beginPath();
  pen.moveTo(left - 6, 0);
  pen.lineTo(left + 6, 0);
  pen.lineTo(left, 7);
  pen.fill();
}
