/** The timeline as people use it: a slider over time that can be dragged, pinched, wheeled and driven by keys. */

import { useEffect, useLayoutEffect, useRef, type PointerEvent, type ReactElement } from "react";
import type { SpanKind, Timeline } from "../api/client";
import { useNow } from "../app/use-now";
import { useAppContext } from "../app/context";
import { isLive } from "../camera/playback";
import type { ScenePlayer } from "../camera/scene-player";
import { usePart } from "../camera/use-part";
import { dateText, fullText } from "../time/zone";
import { drawKind, drawDensityStrip, RULER_PX, type Palette } from "./density-strip";
import { ticks } from "./ticks";
import { timeAt } from "./window";

interface Props {
  readonly player: ScenePlayer;
  readonly timeline: () => Timeline | null;
  /** The strip was drawn for the player's window over this width. */
  readonly seen: (widthPx: number) => void;
  /** What was so at the moment shown, in words. */
  readonly words: string;
  /** Bumped when the timeline's data changed. */
  readonly revision: number;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ground: colour("ground"),
    rule: colour("rule"),
    strong: colour("rule-strong"),
    text: colour("text"),
    quiet: colour("text-quiet"),
    green: colour("green"),
    amber: colour("amber"),
    silhouette: colour("silhouette"),
    select: colour("select"),
    font: style.fontFamily,
  };
}

type Gesture = { readonly kind: "scrub" | "pan" } | { readonly kind: "pinch" };

export function TimelineView({ player, timeline, seen, words, revision }: Props): ReactElement {
  const { t, zone, locale, renderer } = useAppContext();
  const canvas = useRef<HTMLCanvasElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const pointers = useRef(new Map<number, { x: number; y: number }>());
  const gesture = useRef<Gesture | null>(null);
  const redraw = useRef<() => void>(() => undefined);

  useLayoutEffect(() => {
    const element = canvas.current;
    const pen = element?.getContext("2d");
    if (element == null || pen == null) return;
    const palette = readPalette(element);
    let takeBack: () => void = () => undefined;
    const draw = (): void => {
      const ratio = Math.min(2, window.devicePixelRatio);
      const widthPx = element.clientWidth;
      const heightPx = element.clientHeight;
      if (widthPx === 0) return;
      const width = Math.round(widthPx * ratio);
      const height = Math.round(heightPx * ratio);
      if (element.width !== width) element.width = width;
      if (element.height !== height) element.height = height;
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      const playback = player.playback.get();
      seen(widthPx);
      drawDensityStrip(
        pen,
        {
          widthPx,
          heightPx,
          window: playback.window,
          timeline: timeline(),
          ticks: ticks(playback.window, widthPx, zone, widthPx < 600 ? 72 : 96),
          zone,
          atMs: player.momentMs(),
          nowMs: Date.now(),
          live: isLive(playback),
          span: { fromMs: playback.markFromMs, toMs: playback.markToMs },
          dayText: (atMs) => dateText(zone, atMs, locale),
        },
        palette,
      );
      element.dataset["drawn"] = String(timeline() !== null);
    };
    const soon = (): void => {
      takeBack = renderer.frames.add(draw);
    };
    redraw.current = soon;
    const sizes = new ResizeObserver(soon);
    sizes.observe(element);
    const stop = player.playback.subscribe(soon);
    draw(); // before the page is seen for the first time
    return () => {
      takeBack();
      stop();
      sizes.disconnect();
    };
  }, [player, timeline, seen, zone, locale, renderer]);

  useEffect(() => {
    redraw.current();
  }, [revision]);

  // React's wheel listeners are passive; this one keeps the page from scrolling.
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const scale = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      const bounds = element.getBoundingClientRect();
      const playback = player.playback.get();
      const sideways = event.shiftKey ? event.deltaY : event.deltaX;
      if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
        player.pan(((sideways * scale) / bounds.width) * playback.window.spanMs);
        return;
      }
      // Live stays at the right end while zooming; the past stays under the pointer.
      const anchorMs = isLive(playback) ? null : timeAt(playback.window, event.clientX - bounds.left, bounds.width);
      player.zoom(1.0018 ** (event.deltaY * scale), anchorMs);
    };
    element.addEventListener("wheel", onWheel, { passive: false });
    return () => element.removeEventListener("wheel", onWheel);
  }, [player]);

  const at = (event: PointerEvent): { x: number; y: number; width: number; height: number } => {
    const bounds = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - bounds.left, y: event.clientY - bounds.top, width: bounds.width, height: bounds.height };
  };

  const onPointerDown = (event: PointerEvent<HTMLDivElement>): void => {
    if (event.button > 1) return;
    event.currentTarget.setPointerCapture(event.pointerId);
    const { x, y, width, height } = at(event);
    pointers.current.set(event.pointerId, { x, y });
    if (pointers.current.size === 2) {
      gesture.current = { kind: "pinch" };
      player.hold(false);
      return;
    }
    const pans = event.button === 1 || event.shiftKey || y > height - RULER_PX;
    gesture.current = { kind: pans ? "pan" : "scrub" };
    if (!pans) {
      player.hold(true);
      player.seek(timeAt(player.playback.get().window, x, width));
    }
  };

  const onPointerMove = (event: PointerEvent<HTMLDivElement>): void => {
    const before = pointers.current.get(event.pointerId);
    if (before === undefined || gesture.current === null) return;
    const { x, y, width } = at(event);
    const { window } = player.playback.get();
    const kind = gesture.current.kind;
    if (kind === "scrub") {
      const inside = Math.min(width, Math.max(0, x));
      player.seek(timeAt(window, inside, width));
    } else if (kind === "pan") {
      player.pan(((before.x - x) / width) * window.spanMs);
    } else {
      const other = [...pointers.current].find(([id]) => id !== event.pointerId)?.[1];
      if (other !== undefined) {
        const factor = Math.max(8, Math.abs(before.x - other.x)) / Math.max(8, Math.abs(x - other.x));
        player.zoom(factor, timeAt(window, other.x, width));
      }
    }
    pointers.current.set(event.pointerId, { x, y });
  };

  const onPointerEnd = (event: PointerEvent<HTMLDivElement>): void => {
    pointers.current.delete(event.pointerId);
    if (pointers.current.size > 0) return;
    gesture.current = null;
    player.hold(false);
  };

  const nowSeconds = Math.floor(useNow() / 1000);
  const second = usePart(player.playback, () => Math.floor(player.momentMs() / 1000));
  const fromSecond = usePart(player.playback, ({ window }) => Math.floor(window.fromMs / 1000));
  const label = t("timeline.value", { time: fullText(zone, second * 1000, locale), state: words });

  return (
    <div
      ref={box}
      className="timeline"
      role="slider"
      tabIndex={0}
      aria-label={t("timeline.label")}
      aria-valuemin={fromSecond}
      aria-valuemax={nowSeconds}
      aria-valuenow={second}
      aria-valuetext={label}
      dir="ltr"
      onPointerDown={onPointerDown}
      onPointerMove={onPointerMove}
      onPointerUp={onPointerEnd}
      onPointerCancel={onPointerEnd}
    >
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}

const KINDS: readonly SpanKind[] = ["awake", "sparse", "asleep", "blind", "offline", "gap"];

/** What the strip's patterns mean. */
export function Legend(): ReactElement {
  const { t } = useAppContext();
  return (
    <ul className="legend" aria-label={t("timeline.legend")}>
      <li>
        <span className="legend-density" aria-hidden="true" />
        {t("timeline.busy")}
      </li>
      {KINDS.map((kind) => (
        <li key={kind}>
          <Swatch kind={kind} />
          {t(`timeline.${kind}`)}
        </li>
      ))}
    </ul>
  );
}

function Swatch({ kind }: { readonly kind: SpanKind }): ReactElement {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const pen = canvas.current?.getContext("2d");
    if (canvas.current === null || pen == null) return;
    pen.setTransform(2, 0, 0, 2, 0, 0);
    pen.clearRect(0, 0, 28, 8);
    drawKind(pen, kind, readPalette(canvas.current), 0, 0, 28, 8);
  }, [kind]);
  return <canvas ref={canvas} width={56} height={16} className="legend-swatch" aria-hidden="true" />;
}
