/** What is known of a camera and of the background that is shown: the register's words, and how old it is. */

import type { ReactElement } from "react";
import type { Camera } from "../api/client";
import { useAppContext } from "../app/context";
import { Field } from "../design/components";
import { provenSinceMs } from "../scene/freshness";
import { agoText, fullText, offsetText } from "../time/zone";
import type { ScenePlayer } from "./scene-player";
import { usePart } from "./use-part";

/** The background's age at the moment shown. */
export function BackgroundAge({ player }: { readonly player: ScenePlayer }): ReactElement {
  const { t, locale } = useAppContext();
  const provenMs = usePart(player.shown, (shown) => provenSinceMs(shown.view));
  const second = usePart(player.playback, () => Math.floor(player.momentMs() / 1000));
  if (provenMs === null) return <span>{t("wall.unproven")}</span>;
  return <span>{t("wall.backgroundAge", { age: agoText(provenMs, second * 1000, locale) })}</span>;
}

interface FactsProps {
  readonly camera: Camera;
  readonly player: ScenePlayer;
}

export function Facts({ camera, player }: FactsProps): ReactElement {
  const { t } = useAppContext();
  const provenMs = usePart(player.shown, (shown) => provenSinceMs(shown.view));
  return (
    <dl className="camera-facts">
      <Field name={t("camera.place")}>{camera.place}</Field>
      <Field name={t("camera.purpose")}>{camera.purpose}</Field>
      {camera.controller === "" ? null : <Field name={t("camera.controller")}>{camera.controller}</Field>}
      <Field name={t("camera.background")}>{provenMs === null ? t("wall.unproven") : <Moment atMs={provenMs} />}</Field>
    </dl>
  );
}

/** A moment in the site's time, its offset on hover. */
function Moment({ atMs }: { readonly atMs: number }): ReactElement {
  const { t, zone, locale } = useAppContext();
  return (
    <time dateTime={new Date(atMs).toISOString()} title={t("time.zone", { zone, offset: offsetText(zone, atMs) })}>
      <bdi>{fullText(zone, atMs, locale)}</bdi>
    </time>
  );
}
