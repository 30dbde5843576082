/** The wall: every camera at once, as large as the screen allows. */

import { memo, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type ReactElement } from "react";
import type { Camera } from "../api/client";
import { useKeys } from "../app/keyboard";
import { cameraPath, navigate } from "../app/route";
import { useAsOfNow } from "../app/use-now";
import { useAppContext, type AppValues } from "../app/context";
import { useLiveSummary } from "../app/use-live-summary";
import { Button, Link, Tag } from "../design/components";
import { LiveCanvas } from "../design/live-canvas";
import { SMALL_WIDTH_PX } from "../scene/full-size";
import { agoText } from "../time/zone";
import { describeLive } from "../i18n/live-state";
import { directionOf } from "../i18n/translate";
import { layOut, neighbour, type TileBox } from "./layout";
import { readPins, writePins } from "./pins";

/** Tiles larger than this hold their picture at full size. */
const SMALL_TILE_PX = 560;
const DEFAULT_ASPECT = 16 / 9;

export function WallPage(): ReactElement {
  const { cameras, t, language, locale, live, renderer } = useAppContext();
  const list = useRef<HTMLUListElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  const [pins, setPins] = useState<ReadonlySet<string>>(readPins);
  const [selected, setSelected] = useState<string | null>(null);

  const ready = cameras !== null && cameras.length > 0;
  useLayoutEffect(() => {
    const element = list.current;
    if (element === null) return;
    const sizes = new ResizeObserver(() => setSize({ width: element.clientWidth, height: element.clientHeight }));
    sizes.observe(element);
    return () => sizes.disconnect();
  }, [ready]);

  const toggle = useCallback((camera: string) => {
    setPins((before) => {
      const after = new Set(before);
      if (!after.delete(camera)) after.add(camera);
      writePins(after);
      return after;
    });
  }, []);

  const wall = useMemo(() => {
    const tiles = (cameras ?? []).map((camera) => ({ id: camera.id, aspect: aspectOf(camera), pinned: pins.has(camera.id) }));
    return layOut(tiles, size.width, size.height);
  }, [cameras, pins, size]);

  const select = (camera: string | null): void => {
    setSelected(camera);
    if (camera === null) return;
    list.current?.querySelector<HTMLElement>(`[data-camera="${CSS.escape(camera)}"] a`)?.focus();
  };
  const move = (event: KeyboardEvent): void => {
    select(neighbour(wall.boxes, selected ?? "", event.key, directionOf(language) === "rtl"));
  };
  useKeys({
    ArrowLeft: move,
    ArrowRight: move,
    ArrowUp: move,
    ArrowDown: move,
    Enter: () => selected !== null && navigate(cameraPath(selected)),
    p: () => selected !== null && toggle(selected),
    Escape: () => {
      setSelected(null);
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    },
  });

  if (cameras === null) return <p className="notice">{t("load.waiting")}</p>;
  if (cameras.length === 0) {
    return (
      <div className="notice">
        <h1>{t("wall.empty")}</h1>
        <p>{t("wall.emptyHint")}</p>
      </div>
    );
  }
  return (
    <>
      <h1 className="unseen">{t("wall.title")}</h1>
      <ul className="wall" ref={list}>
        {wall.boxes.map((box) => {
          const camera = cameras.find((each) => each.id === box.id);
          return camera === undefined ? null : (
            <WallTile
              key={box.id}
              camera={camera}
              box={box}
              pinned={pins.has(box.id)}
              onPin={toggle}
              onFocus={setSelected}
              t={t}
              locale={locale}
              live={live}
              renderer={renderer}
            />
          );
        })}
      </ul>
    </>
  );
}

function aspectOf(camera: Camera): number {
  return camera.grid === null ? DEFAULT_ASPECT : camera.grid.width_px / camera.grid.height_px;
}

interface TileProps extends Pick<AppValues, "t" | "locale" | "live" | "renderer"> {
  readonly camera: Pick<Camera, "id" | "name">;
  readonly box: TileBox;
  readonly pinned: boolean;
  readonly onPin: (camera: string) => void;
  readonly onFocus: (camera: string) => void;
}

/** The list of cameras is asked for every few seconds, and mostly its figures are new: they are not on the tiles. */
const WallTile = memo(AnyTile, (before, after) => {
  const { camera, box, ...rest } = after;
  const others = Object.keys(rest) as (keyof typeof rest)[];
  return (
    others.every((key) => before[key] === rest[key]) &&
    before.camera.id === camera.id &&
    before.camera.name === camera.name &&
    before.box.start === box.start &&
    before.box.top === box.top &&
    before.box.width === box.width &&
    before.box.height === box.height
  );
});

function AnyTile({ camera, box, pinned, onPin, onFocus, t, live, renderer, locale }: TileProps): ReactElement {
  const summary = useLiveSummary(live, camera.id);
  const { tone, words } = describeLive(summary, t);
  const name = camera.name === "" ? camera.id : camera.name;
  const wide = box.width * window.devicePixelRatio > SMALL_TILE_PX;
  const style = { insetInlineStart: box.start, insetBlockStart: box.top, inlineSize: box.width, blockSize: box.height };
  return (
    <li
      className={`tile tile-${tone} ${summary.freshness === "shown" ? "" : "tile-dim"}`}
      style={style}
      data-camera={camera.id}
      data-tone={tone}
    >
      <Link to={cameraPath(camera.id)} className="tile-link" label={`${t("wall.open", { camera: name })}. ${words}`}>
        <LiveCanvas renderer={renderer} live={live} camera={camera.id} maxWidthPx={wide ? Infinity : SMALL_WIDTH_PX} />
        <FocusReporter camera={camera.id} onFocus={onFocus} />
        <span className="tile-line">
          <span className="tile-name">{name}</span>
          <Tag tone={tone}>{words}</Tag>
          <span className="tile-truth">
            <span>{t("reconstruction")}</span>
            <span className="tile-age">
              <Age atMs={summary.provenMs} t={t} locale={locale} />
            </span>
          </span>
        </span>
        {summary.provenPercent > 0 && tone === "degraded" && summary.reason === "none" ? (
          <progress className="tile-progress" max={100} value={summary.provenPercent} aria-hidden="true" />
        ) : null}
      </Link>
      <Button
        look="bare"
        className="tile-pin"
        aria-pressed={pinned}
        aria-label={t(pinned ? "wall.unpin" : "wall.pin", { camera: name })}
        onClick={() => onPin(camera.id)}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <path d="M5 2h6M6 2v5L4 9v1h8V9l-2-2V2M8 10v4" />
        </svg>
      </Button>
    </li>
  );
}

/** Tells the wall which tile has the focus; a link's own focus event does not know its camera. */
function FocusReporter({ camera, onFocus }: Pick<TileProps, "onFocus"> & { readonly camera: string }): ReactElement {
  const here = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    const link = here.current?.closest("a");
    if (link == null) return;
    const focused = (): void => onFocus(camera);
    link.addEventListener("focus", focused);
    return () => link.removeEventListener("focus", focused);
  }, [camera, onFocus]);
  return <span ref={here} hidden />;
}

/** "place proven 3 minutes ago", kept current. */
function Age({ atMs, t, locale }: Pick<TileProps, "t" | "locale"> & { readonly atMs: number | null }): ReactElement {
  const age = useAsOfNow((nowMs) => (atMs === null ? null : agoText(atMs, nowMs, locale)));
  return <>{age === null ? t("wall.unproven") : t("wall.backgroundAge", { age })}</>;
}
