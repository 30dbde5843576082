/**
 * The part of time that a timeline shows, and how it moves. Pure: time runs from left to right over a width in CSS pixels, in
 * every language.
 */

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

export const MIN_SPAN_MS = MINUTE;
export const MAX_SPAN_MS = 366 * DAY;
/** How much of the width lies beyond now when the timeline follows it. */
export const LIVE_MARGIN = 0.04;

export interface Window {
  readonly fromMs: number;
  readonly spanMs: number;
}

export function toMs(window: Window): number {
  return window.fromMs + window.spanMs;
}

export function xAt(window: Window, atMs: number, widthPx: number): number {
  return ((atMs - window.fromMs) / window.spanMs) * widthPx;
}

export function timeAt(window: Window, xPx: number, widthPx: number): number {
  return window.fromMs + (xPx / Math.max(1, widthPx)) * window.spanMs;
}

export function clampSpan(spanMs: number): number {
  return Math.min(MAX_SPAN_MS, Math.max(MIN_SPAN_MS, spanMs));
}

/** Factor < 1 zooms in; the moment `anchorMs` stays where it is. */
export function zoomed(window: Window, factor: number, anchorMs: number): Window {
  const spanMs = clampSpan(window.spanMs * factor);
  const part = (anchorMs - window.fromMs) / window.spanMs;
  return { fromMs: anchorMs - part * spanMs, spanMs };
}

export function panned(window: Window, byMs: number): Window {
  return { ...window, fromMs: window.fromMs + byMs };
}

/** Keeps now reachable: the window's right end lies at most a margin beyond it. */
export function heldBefore(window: Window, nowMs: number): Window {
  const latest = nowMs + window.spanMs * LIVE_MARGIN;
  return toMs(window) > latest ? { ...window, fromMs: latest - window.spanMs } : window;
}

/** The window whose right end is now, with a margin. */
export function following(spanMs: number, nowMs: number): Window {
  const span = clampSpan(spanMs);
  return { fromMs: nowMs + span * LIVE_MARGIN - span, spanMs: span };
}

export function centred(spanMs: number, atMs: number): Window {
  const span = clampSpan(spanMs);
  return { fromMs: atMs - span / 2, spanMs: span };
}

/** Moves the window by as little as brings `atMs` inside, a tenth away from the end it would have left by. */
export function kept(window: Window, atMs: number): Window {
  const margin = window.spanMs / 10;
  if (atMs < window.fromMs) return { ...window, fromMs: atMs - margin };
  if (atMs > toMs(window)) return { ...window, fromMs: atMs - window.spanMs + margin };
  return window;
}
