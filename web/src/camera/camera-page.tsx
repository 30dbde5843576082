/** One camera: picture, timeline, and everything one can do with a moment. Live and past are the same page. */

import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement } from "react";
import { fetchScene, snapshotPath, exportPath, type Camera } from "../api/client";
import { useKeys } from "../app/keyboard";
import { openTimeline } from "../app/prefetch";
import { cameraPath, commissionPath, navigate, replaceAddress } from "../app/route";
import { useAppContext } from "../app/context";
import { useLiveSummary } from "../app/use-live-summary";
import { Button, Field, Link, Tag } from "../design/components";
import { waitsForSignature } from "../pages/commission-state";
import { inNextFrame } from "../scene/frame-scheduler";
import { Picture } from "../scene/picture";
import { NOTHING_SEEN, type SceneView } from "../scene/reader";
import { RecordingCache } from "../scene/recording-cache";
import type { Condition, Reason } from "../scene/scene";
import { provenSinceMs, type Freshness } from "../scene/freshness";
import { agoText, clockText, dateText, fullText, lengthText, offsetText, roughly } from "../time/zone";
import { Legend, TimelineView } from "../timeline/timeline-view";
import { describeLive, type Description } from "../i18n/live-state";
import { stateKey, toneOf } from "../i18n/condition";
import {
  advance,
  begin,
  changeSpeed,
  chosenSpan,
  goLive,
  isLive,
  mark,
  momentOf,
  playStepMs,
  seek,
  setSpeed,
  SPEEDS,
  step,
  togglePlay,
  zoom,
  type Playback,
} from "./playback";
import { Store, usePart } from "./store";

interface Props {
  readonly camera: Camera;
  readonly atMs: number | null;
  readonly spanMs: number | null;
}

/** What is drawn: live, or of the past a place, or why there is none. */
interface Seen {
  readonly kind: "live" | "shown" | "gap" | "unwritten" | "fetching";
  readonly view: SceneView | null;
  /** Of the past; live it changes with time and is asked for (useLiveSummary). */
  readonly freshness: Freshness;
  /** Whether this is the moment that is asked for, and nothing finer is to come. */
  readonly exact: boolean;
}

const ADDRESS_EVERY_MS = 400;
/** Being fetched is worth a word only if it lasts. */
const PATIENCE_MS = 400;

export function CameraPage({ camera, atMs, spanMs }: Props): ReactElement {
  const { t, live, zone, locale } = useAppContext();
  const [store] = useState(() => new Store<Playback>(begin(atMs, spanMs, Date.now())));
  const [seenStore] = useState(() => new Store<Seen>({ kind: "live", view: null, freshness: "waiting", exact: false }));
  const [revision, setRevision] = useState(0);
  const canvas = useRef<HTMLCanvasElement>(null);
  const held = useRef(false);
  const name = camera.name === "" ? camera.id : camera.name;

  const loader = useMemo(() => openTimeline(camera.id), [camera.id]);
  useEffect(() => {
    loader.watch(() => setRevision((before) => before + 1));
    return () => loader.close();
  }, [loader]);
  const timeline = useCallback(() => loader.timeline, [loader]);
  const seenWindow = useCallback((widthPx: number) => loader.want(store.get().window, widthPx, Date.now()), [loader, store]);
  const holding = useCallback((now: boolean) => {
    held.current = now;
  }, []);

  useEffect(() => {
    if (canvas.current === null) return;
    const picture = new Picture(canvas.current, Infinity);
    let running = true;
    let lastMs = performance.now();
    let lostSinceMs: number | null = null;
    let lastTimelineMs = 0;
    const recorded = new RecordingCache(
      (from, to, stepMs, signal) => fetchScene(camera.id, from, to, stepMs, signal),
      () => show(),
    );

    const see = (seen: Seen): void => {
      const { kind, view, freshness, exact } = seenStore.get();
      if (kind !== seen.kind || view !== seen.view || freshness !== seen.freshness || exact !== seen.exact) seenStore.set(seen);
    };

    /** Draws the moment from what is at hand, and sees to what is missing. */
    const show = (): void => {
      const player = store.get();
      const nowMs = Date.now();
      if (isLive(player)) {
        const view = live.view(camera.id)?.view ?? null;
        picture.show(view);
        seenStore.set({ kind: "live", view, freshness: "shown", exact: true });
        return;
      }
      const at = momentOf(player, nowMs);
      const width = canvas.current?.clientWidth ?? 1000;
      const stepMs = held.current ? (player.window.spanMs / width) * 2 : playStepMs(player);
      recorded.want(at, stepMs);
      if (player.playing) recorded.want(at + 4000 * player.speed, stepMs);
      const moment = recorded.at(at);
      if (moment.kind === "fetching") {
        lostSinceMs ??= performance.now();
        const late = performance.now() - lostSinceMs > PATIENCE_MS;
        see({ ...seenStore.get(), ...(late ? { kind: "fetching" } : {}), exact: false });
        return;
      }
      lostSinceMs = null;
      const { view } = moment;
      if (moment.kind === "shown") see({ kind: "shown", view, freshness: moment.freshness, exact: moment.exact });
      else see({ kind: moment.written ? "gap" : "unwritten", view, freshness: "silent", exact: moment.written });
      picture.show(view, false);
    };

    const frame = (): void => {
      if (!running) return;
      const nowMs = performance.now();
      const elapsedMs = Math.min(1000, nowMs - lastMs);
      lastMs = nowMs;
      const player = store.get();
      // The window of a live timeline moves by less than a pixel most frames: it is redrawn when it has moved by half of one.
      const halfPixelMs = player.window.spanMs / (2 * (canvas.current?.clientWidth ?? 1000));
      if (!isLive(player) || nowMs - lastTimelineMs > Math.max(30, Math.min(1000, halfPixelMs))) {
        lastTimelineMs = nowMs;
        store.update((before) => advance(before, elapsedMs, Date.now()));
      }
      if (!isLive(player)) show();
      inNextFrame(frame);
    };

    const stopStore = store.subscribe(show);
    const stopLive = live.subscribe(camera.id, () => {
      recorded.hear(live.view(camera.id)?.view ?? NOTHING_SEEN);
      if (isLive(store.get())) show();
    });
    show();
    inNextFrame(frame);
    return () => {
      running = false;
      stopStore();
      stopLive();
      recorded.close();
      picture.close();
    };
  }, [camera.id, live, store, seenStore]);

  // The address follows what is looked at, but not sixty times a second: browsers forbid that.
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = "";
    const write = (): void => {
      timer = undefined;
      const player = store.get();
      const path = cameraPath(camera.id, player.atMs, player.window.spanMs);
      if (path !== last) replaceAddress(path);
      last = path;
    };
    const stop = store.subscribe(() => {
      timer ??= setTimeout(write, ADDRESS_EVERY_MS);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [camera.id, store]);

  const act = (change: (player: Playback, nowMs: number) => Playback): void =>
    store.update((player) => change(player, Date.now()));
  const zoomBy = (factor: number): void => act((player, nowMs) => zoom(player, factor, momentOf(player, nowMs), nowMs));
  useKeys({
    " ": () => act(togglePlay),
    k: () => act(togglePlay),
    ArrowLeft: () => act((player, nowMs) => step(player, -5000, nowMs)),
    ArrowRight: () => act((player, nowMs) => step(player, 5000, nowMs)),
    "Shift+ArrowLeft": () => act((player, nowMs) => step(player, -60_000, nowMs)),
    "Shift+ArrowRight": () => act((player, nowMs) => step(player, 60_000, nowMs)),
    ArrowUp: () => act((player, nowMs) => changeSpeed(player, 1, nowMs)),
    ArrowDown: () => act((player, nowMs) => changeSpeed(player, -1, nowMs)),
    l: () => act(goLive),
    "+": () => zoomBy(0.5),
    "=": () => zoomBy(0.5),
    "-": () => zoomBy(2),
    Home: () => act((player, nowMs) => seek(player, player.window.fromMs, nowMs)),
    End: () => act(goLive),
    i: () => act((player, nowMs) => mark(player, "from", nowMs)),
    o: () => act((player, nowMs) => mark(player, "to", nowMs)),
    Escape: () => navigate("/"),
  });

  const description = useDescription(camera, seenStore, store);
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
            style={{ aspectRatio: aspect, "--aspect": aspect } as React.CSSProperties}
            data-seen={description.kind}
            data-exact={description.exact}
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
              <BackgroundAge seen={seenStore} store={store} locale={locale} />
            </figcaption>
          </figure>
        </div>
        <Facts camera={camera} seen={seenStore} zone={zone} locale={locale} />
      </div>
      <section className="camera-time">
        <Controls camera={camera} store={store} act={act} />
        <TimelineView
          store={store}
          timeline={timeline}
          seen={seenWindow}
          holding={holding}
          words={description.words}
          revision={revision}
        />
        <div className="camera-under">
          <Legend />
          <Zoom store={store} zoomBy={zoomBy} />
        </div>
      </section>
      <p className="unseen" role="status">
        {description.announced}
      </p>
    </article>
  );
}

interface SpokenPicture extends Description {
  readonly kind: Seen["kind"];
  readonly exact: boolean;
  /** Whether the picture may not be how it is, or was. */
  readonly dim: boolean;
  /** Words across the picture; null while it speaks for itself. */
  readonly veil: string | null;
  readonly announced: string;
}

/** What is said of the moment shown: of live what the stream says now, of the past what it said then. */
function useDescription(camera: Camera, seen: Store<Seen>, store: Store<Playback>): SpokenPicture {
  const { t, live } = useAppContext();
  const summary = useLiveSummary(live, camera.id);
  const kind = usePart(seen, (value) => value.kind);
  const condition = usePart(seen, (value) => value.view?.state?.condition ?? null);
  const reason = usePart(seen, (value) => value.view?.state?.reason ?? "none");
  const freshness = usePart(seen, (value) => value.freshness);
  const exact = usePart(seen, (value) => value.exact);
  const isNow = usePart(store, isLive);
  if (isNow || kind === "live") {
    const description = describeLive(summary, t);
    const dim = summary.freshness !== "shown";
    return {
      ...description,
      kind,
      exact,
      dim,
      veil: dim ? description.words : null,
      announced: dim ? description.words : t("camera.live"),
    };
  }
  if (kind === "fetching") {
    return { kind, exact, dim: false, tone: "quiet", words: t("camera.loading"), veil: null, announced: "" };
  }
  if (kind === "gap" || kind === "unwritten") {
    const words = t(kind === "gap" ? "camera.gap" : "camera.unwritten");
    return { kind, exact, dim: true, tone: "unknown", words, veil: words, announced: words };
  }
  const words = pastWords(freshness, condition, reason, t);
  const tone = freshness === "unknown" || condition === null ? "unknown" : toneOf(condition, reason);
  const dim = freshness !== "shown";
  return { kind, exact, dim, tone: tone === "guarded" ? "quiet" : tone, words, veil: dim ? words : null, announced: words };
}

function pastWords(
  freshness: Freshness,
  condition: Condition | null,
  reason: Reason,
  t: ReturnType<typeof useAppContext>["t"],
): string {
  if (freshness === "unknown") return t("camera.wasUnknown");
  if (condition !== null && reason !== "none") return t(stateKey(condition, reason));
  if (freshness === "waiting" || condition === null) return t("camera.wasStarting");
  if (condition === "asleep") return t("camera.wasAsleep");
  return condition === "awake" ? t("camera.past") : t(stateKey(condition, reason));
}

interface AgeProps {
  readonly seen: Store<Seen>;
  readonly store: Store<Playback>;
  readonly locale: string;
}

/** The background's age at the moment shown. */
function BackgroundAge({ seen, store, locale }: AgeProps): ReactElement {
  const { t } = useAppContext();
  const provenMs = usePart(seen, (value) => provenSinceMs(value.view));
  const second = usePart(store, (player) => Math.floor(momentOf(player, Date.now()) / 1000));
  if (provenMs === null) return <span>{t("wall.unproven")}</span>;
  return <span>{t("wall.backgroundAge", { age: agoText(provenMs, second * 1000, locale) })}</span>;
}

interface FactsProps {
  readonly camera: Camera;
  readonly seen: Store<Seen>;
  readonly zone: string;
  readonly locale: string;
}

function Facts({ camera, seen, zone, locale }: FactsProps): ReactElement {
  const { t } = useAppContext();
  const provenMs = usePart(seen, (value) => provenSinceMs(value.view));
  return (
    <dl className="camera-facts">
      <Field name={t("camera.place")}>{camera.place}</Field>
      <Field name={t("camera.purpose")}>{camera.purpose}</Field>
      {camera.controller === "" ? null : <Field name={t("camera.controller")}>{camera.controller}</Field>}
      <Field name={t("camera.background")}>
        {provenMs === null ? t("wall.unproven") : <Moment atMs={provenMs} zone={zone} locale={locale} />}
      </Field>
    </dl>
  );
}

/** A moment in the site's time, its offset on hover. */
function Moment({ atMs, zone, locale }: { readonly atMs: number; readonly zone: string; readonly locale: string }): ReactElement {
  const { t } = useAppContext();
  return (
    <time dateTime={new Date(atMs).toISOString()} title={t("time.zone", { zone, offset: offsetText(zone, atMs) })}>
      <bdi>{fullText(zone, atMs, locale)}</bdi>
    </time>
  );
}

interface ControlsProps {
  readonly camera: Camera;
  readonly store: Store<Playback>;
  readonly act: (change: (player: Playback, nowMs: number) => Playback) => void;
}

function Controls({ camera, store, act }: ControlsProps): ReactElement {
  const { t, zone, locale } = useAppContext();
  const second = usePart(store, (player) => Math.floor(momentOf(player, Date.now()) / 1000));
  const live = usePart(store, isLive);
  const playing = usePart(store, (player) => player.playing);
  const speed = usePart(store, (player) => player.speed);
  const atMs = second * 1000;
  return (
    <div className="controls">
      <div className="controls-clock">
        <time dateTime={new Date(atMs).toISOString()} title={t("time.zone", { zone, offset: offsetText(zone, atMs) })}>
          <bdi className="clock">{clockText(zone, atMs)}</bdi>
          <bdi className="date">{dateText(zone, atMs, locale)}</bdi>
        </time>
      </div>
      <div className="controls-play" dir="ltr">
        <Button
          onClick={() => act((player, nowMs) => step(player, -5000, nowMs))}
          aria-label={t("play.back")}
          title={t("play.back")}
        >
          −5 s
        </Button>
        <Button className="button-play" onClick={() => act(togglePlay)} aria-label={t(playing ? "play.pause" : "play.play")}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path className="filled" d={playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z"} />
          </svg>
        </Button>
        <Button
          onClick={() => act((player, nowMs) => step(player, 5000, nowMs))}
          disabled={live}
          aria-label={t("play.forward")}
          title={t("play.forward")}
        >
          +5 s
        </Button>
        <label className="select">
          <span className="unseen">{t("play.speed")}</span>
          <select value={speed} onChange={(event) => act((player, nowMs) => setSpeed(player, Number(event.target.value), nowMs))}>
            {SPEEDS.map((each) => (
              <option key={each} value={each}>
                {t("play.at", { speed: String(each) })}
              </option>
            ))}
          </select>
        </label>
        <Button className={live ? "button-live" : ""} aria-pressed={live} onClick={() => act(goLive)}>
          {t("play.live")}
        </Button>
      </div>
      <SpanTools camera={camera} store={store} act={act} />
    </div>
  );
}

interface ZoomProps {
  readonly store: Store<Playback>;
  readonly zoomBy: (factor: number) => void;
}

function Zoom({ store, zoomBy }: ZoomProps): ReactElement {
  const { t } = useAppContext();
  const spanMs = usePart(store, (player) => Math.round(player.window.spanMs / 1000) * 1000);
  const span = roughly(spanMs);
  return (
    <div className="controls-zoom" dir="ltr">
      <Button onClick={() => zoomBy(2)} aria-label={t("timeline.zoomOut")} title={t("timeline.zoomOut")}>
        −
      </Button>
      <span className="controls-span" dir="auto">
        {t(`time.${span.unit}`, { count: span.count })}
      </span>
      <Button onClick={() => zoomBy(0.5)} aria-label={t("timeline.zoomIn")} title={t("timeline.zoomIn")}>
        +
      </Button>
    </div>
  );
}

function SpanTools({ camera, store, act }: ControlsProps): ReactElement {
  const { t, zone, locale } = useAppContext();
  const [said, setSaid] = useState("");
  const fromMs = usePart(store, (player) => player.markFromMs);
  const toMs = usePart(store, (player) => player.markToMs);
  const span = chosenSpan(store.get());
  const marked = (atMs: number | null): string => (atMs === null ? "" : ` ${clockText(zone, atMs)}`);

  const copy = async (): Promise<void> => {
    const player = store.get();
    const url = new URL(snapshotPath(camera.id, momentOf(player, Date.now())), location.origin).href;
    try {
      await navigator.clipboard.writeText(url);
      setSaid(t("snapshot.copied"));
    } catch {
      // No permission, or not a secure context: the link itself is the next best thing.
      setSaid(t("snapshot.failed", { url }));
    }
    setTimeout(() => setSaid(""), 6000);
  };

  return (
    <div className="controls-save">
      <Button onClick={() => act((player, nowMs) => mark(player, "from", nowMs))} title={`${t("span.markFrom")} (I)`}>
        {t("span.from")}
        <bdi className="figure">{marked(fromMs)}</bdi>
      </Button>
      <Button onClick={() => act((player, nowMs) => mark(player, "to", nowMs))} title={`${t("span.markTo")} (O)`}>
        {t("span.to")}
        <bdi className="figure">{marked(toMs)}</bdi>
      </Button>
      {span === null ? null : (
        <>
          <a
            className="button button-ruled"
            href={exportPath(camera.id, span.fromMs, span.toMs)}
            download={fileName(camera.id, span.fromMs, zone)}
            title={`${fullText(zone, span.fromMs, locale)} – ${fullText(zone, span.toMs, locale)}`}
          >
            {t("span.download")} <bdi className="figure">{lengthText(span.toMs - span.fromMs)}</bdi>
          </a>
          <Button look="bare" onClick={() => act((player) => ({ ...player, markFromMs: null, markToMs: null }))}>
            {t("span.clear")}
          </Button>
        </>
      )}
      <Button look="bare" onClick={() => void copy()}>
        {t("snapshot.copy")}
      </Button>
      <span className="said" role="status">
        {said}
      </span>
    </div>
  );
}

function fileName(camera: string, atMs: number, zone: string): string {
  const date = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(atMs);
  return `${camera}-${date}-${clockText(zone, atMs).replaceAll(":", "")}.mp4`;
}
