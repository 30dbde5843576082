/** One camera: picture, timeline, and everything one can do with a moment. Live and past are the same page. */

import { useCallback, useEffect, useMemo, useRef, useState, type CSSProperties, type ReactElement } from "react";
import type { Camera } from "../api/client";
import { useAppContext, type AppValues } from "../app/context";
import { useKeys } from "../app/keyboard";
import { cameraPath, commissionPath, navigate, replaceAddress } from "../app/route";
import { useLiveSummary } from "../app/use-live-summary";
import { Link, Tag } from "../design/components";
import { waitsForSignature } from "../pages/commission-state";
import { Picture } from "../scene/picture";
import type { FetchScene } from "../scene/recording-cache";
import type { TimelineLoader } from "../timeline/timeline-loader";
import { Legend, TimelineView } from "../timeline/timeline-view";
import { Controls, Zoom } from "./controls";
import { BackgroundAge, Facts } from "./facts";
import { describeNow, describePast, type MomentDescription } from "./moment";
import { isLive } from "./playback";
import { ScenePlayer } from "./scene-player";
import { usePart } from "./use-part";

/** What the page asks of the recorder. */
export interface CameraPorts {
  readonly fetchScene: (camera: string, ...span: Parameters<FetchScene>) => ReturnType<FetchScene>;
  readonly openTimeline: (camera: string) => TimelineLoader;
}

interface Props {
  readonly camera: Camera;
  readonly ports: CameraPorts;
  readonly atMs: number | null;
  readonly spanMs: number | null;
}

const ADDRESS_EVERY_MS = 400;

export function CameraPage({ camera, ports, atMs, spanMs }: Props): ReactElement {
  const { t, live, renderer } = useAppContext();
  const [player] = useState(() => openPlayer(camera.id, ports, { live, renderer }, atMs, spanMs));
  const canvas = useRef<HTMLCanvasElement>(null);
  const name = camera.name === "" ? camera.id : camera.name;

  useEffect(() => {
    const element = canvas.current;
    if (element === null) return;
    const picture = new Picture(renderer, element, Infinity, (background) => live.fullSize(camera.id, background));
    const stop = player.start({ widthPx: () => element.clientWidth, draw: (view, reveals) => picture.show(view, reveals) });
    return () => {
      stop();
      picture.close();
    };
  }, [camera.id, live, player, renderer]);
  useAddressOf(camera.id, player);
  useKeys({
    " ": () => player.togglePlay(),
    k: () => player.togglePlay(),
    ArrowLeft: () => player.step(-5000),
    ArrowRight: () => player.step(5000),
    "Shift+ArrowLeft": () => player.step(-60_000),
    "Shift+ArrowRight": () => player.step(60_000),
    ArrowUp: () => player.changeRate(1),
    ArrowDown: () => player.changeRate(-1),
    l: () => player.followLive(),
    "+": () => player.zoom(0.5),
    "=": () => player.zoom(0.5),
    "-": () => player.zoom(2),
    Home: () => player.seekToWindowStart(),
    End: () => player.followLive(),
    i: () => player.mark("from"),
    o: () => player.mark("to"),
    Escape: () => navigate("/"),
  });

  const description = useDescription(camera.id, player);
  const kind = usePart(player.shown, (shown) => shown.kind);
  const exact = usePart(player.shown, (shown) => shown.exact);
  const aspect = camera.grid === null ? "16 / 9" : `${camera.grid.width_px} / ${camera.grid.height_px}`;
  return (
    <article className="camera">
      <header className="camera-head">
        <Link to="/" className="camera-back" label={t("notFound.back")}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M10 3 5 8l5 5" />
          </svg>
        </Link>
        <h1>{name}</h1>
        <Tag tone={description.tone}>{description.words}</Tag>
        {waitsForSignature(camera) ? (
          <Link to={commissionPath(camera.id)} className="button button-ruled">
            {t("commission.link", { count: camera.counters.candidate_blocks })}
          </Link>
        ) : null}
      </header>
      <div className="camera-middle">
        <div className="camera-stage">
          <figure
            className={`camera-picture ${description.dim ? "camera-dim" : ""}`}
            style={{ aspectRatio: aspect, "--aspect": aspect } as CSSProperties}
            data-seen={kind}
            data-exact={exact}
          >
            <canvas
              ref={canvas}
              className="picture"
              role="img"
              aria-label={t("camera.picture", { camera: name, state: description.words })}
            />
            {description.veil === null ? null : <p className="camera-veil">{description.veil}</p>}
            <figcaption>
              <span>{t("reconstruction")}</span>
              <BackgroundAge player={player} />
            </figcaption>
          </figure>
        </div>
        <Facts camera={camera} player={player} />
      </div>
      <Time camera={camera} ports={ports} player={player} words={description.words} />
      <p className="unseen" role="status">
        {description.announced}
      </p>
    </article>
  );
}

function openPlayer(
  camera: string,
  ports: CameraPorts,
  { live, renderer }: Pick<AppValues, "live" | "renderer">,
  atMs: number | null,
  spanMs: number | null,
): ScenePlayer {
  const player = {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    nextFrame: (run: () => void) => void renderer.frames.add(run),
    fetchScene: (...span: Parameters<FetchScene>) => ports.fetchScene(camera, ...span),
    live: {
      view: () => live.view(camera)?.view ?? null,
      subscribe: (changed: () => void) => live.subscribe(camera, changed),
    },
  };
  return new ScenePlayer(player, atMs, spanMs);
}

interface TimeProps {
  readonly camera: Camera;
  readonly ports: CameraPorts;
  readonly player: ScenePlayer;
  readonly words: string;
}

/** Below the picture: where in time it is, and where else one can go. */
function Time({ camera, ports, player, words }: TimeProps): ReactElement {
  const [revision, setRevision] = useState(0);
  const loader = useMemo(() => ports.openTimeline(camera.id), [ports, camera.id]);
  useEffect(() => {
    loader.watch(() => setRevision((before) => before + 1));
    return () => loader.close();
  }, [loader]);
  const timeline = useCallback(() => loader.timeline, [loader]);
  const seen = useCallback((widthPx: number) => loader.want(player.playback.get().window, widthPx, Date.now()), [loader, player]);
  return (
    <section className="camera-time">
      <Controls camera={camera} player={player} />
      <TimelineView player={player} timeline={timeline} seen={seen} words={words} revision={revision} />
      <div className="camera-under">
        <Legend />
        <Zoom player={player} />
      </div>
    </section>
  );
}

/** The address follows what is looked at, but not sixty times a second: browsers forbid that. */
function useAddressOf(camera: string, { playback }: ScenePlayer): void {
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = "";
    const write = (): void => {
      timer = undefined;
      const { atMs, window } = playback.get();
      const path = cameraPath(camera, atMs, window.spanMs);
      if (path !== last) replaceAddress(path);
      last = path;
    };
    const stop = playback.subscribe(() => {
      timer ??= setTimeout(write, ADDRESS_EVERY_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [camera, playback]);
}

function useDescription(camera: string, player: ScenePlayer): MomentDescription {
  const { t, live } = useAppContext();
  const summary = useLiveSummary(live, camera);
  const kind = usePart(player.shown, (shown) => shown.kind);
  const condition = usePart(player.shown, ({ view }) => view?.state?.condition ?? null);
  const reason = usePart(player.shown, ({ view }) => view?.state?.reason ?? "none");
  const freshness = usePart(player.shown, (shown) => shown.freshness);
  const now = usePart(player.playback, isLive);
  return now || kind === "live" ? describeNow(summary, t) : describePast({ kind, freshness, condition, reason }, t);
}
