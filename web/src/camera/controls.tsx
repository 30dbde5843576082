/** What can be done with the moment shown: play it, mark a span, take it away. */

import { useState, type ReactElement } from "react";
import { exportPath, snapshotPath, type Camera } from "../api/client";
import { useAppContext } from "../app/context";
import { Button } from "../design/components";
import { clockText, dateText, fullText, lengthText, offsetText, roughly } from "../time/zone";
import { chosenSpan, isLive, RATES } from "./playback";
import type { ScenePlayer } from "./scene-player";
import { usePart } from "./use-part";

interface ControlsProps {
  readonly camera: Camera;
  readonly player: ScenePlayer;
}

export function Controls({ camera, player }: ControlsProps): ReactElement {
  const { t, zone, locale } = useAppContext();
  const second = usePart(player.playback, () => Math.floor(player.momentMs() / 1000));
  const live = usePart(player.playback, isLive);
  const playing = usePart(player.playback, (playback) => playback.playing);
  const rate = usePart(player.playback, (playback) => playback.rate);
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
        <Button onClick={() => player.step(-5000)} aria-label={t("play.back")} title={t("play.back")}>
          −5 s
        </Button>
        <Button className="button-play" onClick={() => player.togglePlay()} aria-label={t(playing ? "play.pause" : "play.play")}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path className="filled" d={playing ? "M4 3h3v10H4zM9 3h3v10H9z" : "M4 2.5v11l9-5.5z"} />
          </svg>
        </Button>
        <Button onClick={() => player.step(5000)} disabled={live} aria-label={t("play.forward")} title={t("play.forward")}>
          +5 s
        </Button>
        <label className="select">
          <span className="unseen">{t("play.speed")}</span>
          <select value={rate} onChange={(event) => player.setRate(Number(event.target.value))}>
            {RATES.map((each) => (
              <option key={each} value={each}>
                {t("play.at", { speed: String(each) })}
              </option>
            ))}
          </select>
        </label>
        <Button className={live ? "button-live" : ""} aria-pressed={live} onClick={() => player.followLive()}>
          {t("play.live")}
        </Button>
      </div>
      <SpanTools camera={camera} player={player} />
    </div>
  );
}

/** How much time the timeline shows, and less or more of it. */
export function Zoom({ player }: { readonly player: ScenePlayer }): ReactElement {
  const { t } = useAppContext();
  const spanMs = usePart(player.playback, ({ window }) => Math.round(window.spanMs / 1000) * 1000);
  const span = roughly(spanMs);
  return (
    <div className="controls-zoom" dir="ltr">
      <Button onClick={() => player.zoom(2)} aria-label={t("timeline.zoomOut")} title={t("timeline.zoomOut")}>
        −
      </Button>
      <span className="controls-span" dir="auto">
        {t(`time.${span.unit}`, { count: span.count })}
      </span>
      <Button onClick={() => player.zoom(0.5)} aria-label={t("timeline.zoomIn")} title={t("timeline.zoomIn")}>
        +
      </Button>
    </div>
  );
}

function SpanTools({ camera, player }: ControlsProps): ReactElement {
  const { t, zone, locale } = useAppContext();
  const [said, setSaid] = useState("");
  const fromMs = usePart(player.playback, (playback) => playback.markFromMs);
  const toMs = usePart(player.playback, (playback) => playback.markToMs);
  const span = chosenSpan(player.playback.get());
  const marked = (atMs: number | null): string => (atMs === null ? "" : ` ${clockText(zone, atMs)}`);

  const copy = async (): Promise<void> => {
    const url = new URL(snapshotPath(camera.id, player.momentMs()), location.origin).href;
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
      <Button onClick={() => player.mark("from")} title={`${t("span.markFrom")} (I)`}>
        {t("span.from")}
        <bdi className="figure">{marked(fromMs)}</bdi>
      </Button>
      <Button onClick={() => player.mark("to")} title={`${t("span.markTo")} (O)`}>
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
          <Button look="bare" onClick={() => player.clearMarks()}>
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
