/** The system at a glance: the site, and how each camera is. */

import type { ReactElement } from "react";
import type { Camera, Session, Storage, Stored } from "../api/client";
import { cameraPath, commissionPath } from "../app/route";
import { useNow } from "../app/use-now";
import { useAppContext } from "../app/context";
import { usePolled } from "../app/use-polled";
import { useLiveSummary } from "../app/use-live-summary";
import { Button, Field, Link, Tag } from "../design/components";
import { offsetText } from "../time/zone";
import { describeLive } from "../i18n/live-state";
import { waitsForSignature } from "./commission-state";
import { bitsText, bytesText } from "./units";

const SESSION_EVERY_MS = 60_000;
const STORAGE_EVERY_MS = 15_000;

/** What the page asks of the recorder. */
export interface SystemPorts {
  readonly fetchSession: (signal: AbortSignal) => Promise<Session>;
  readonly fetchStorage: (signal: AbortSignal) => Promise<Storage>;
  readonly logOut: () => Promise<void>;
}

export function SystemPage({ ports }: { readonly ports: SystemPorts }): ReactElement {
  const { t, site, cameras, zone, locale } = useAppContext();
  const session = usePolled(ports.fetchSession, SESSION_EVERY_MS);
  const storage = usePolled(ports.fetchStorage, STORAGE_EVERY_MS).data;
  const waiting = (cameras ?? []).filter(waitsForSignature);
  const bytes = (count: number | undefined): string => (count === undefined ? "–" : bytesText(count, locale));
  const offset = offsetText(zone, useNow());
  return (
    <div className="system">
      <h1>{t("system.title")}</h1>
      <dl className="system-facts">
        <Field name={t("system.site")}>{site?.name ?? "–"}</Field>
        <Field name={t("system.version")}>
          <bdi>{site?.version ?? "–"}</bdi>
        </Field>
        <Field name={t("system.timezone")}>
          <bdi>{t("time.zone", { zone, offset })}</bdi>
        </Field>
        <Field name={t("system.retention")}>
          {site === null ? "–" : t("system.hours", { count: site.retention_hours })}
          {site === null || site.retention_reason === "" ? null : <span className="quiet"> {site.retention_reason}</span>}
        </Field>
        <Field name={t("system.storage")}>
          <bdi>{bytes(storage?.bytes)}</bdi>
          <span className="quiet">
            {storage === null
              ? null
              : ` ${storage.quota_bytes === null ? t("system.noQuota") : t("system.quota", { bytes: bytes(storage.quota_bytes) })}`}
          </span>
        </Field>
        <Field name={t("system.free")}>
          <bdi>{bytes(storage?.free_bytes)}</bdi>
          {storage?.index_fails === true ? <Tag tone="degraded">{t("system.indexFails")}</Tag> : null}
        </Field>
        <Field name={t("system.commissioning")}>
          {waiting.length === 0 ? t("commission.none") : t("commission.waiting", { count: waiting.length })}
        </Field>
        <Field name={t("system.session")}>
          <bdi>{session.data?.name ?? "–"}</bdi>{" "}
          <Button look="bare" onClick={() => void ports.logOut()}>
            {t("nav.logout")}
          </Button>
        </Field>
      </dl>
      <h2>{t("system.cameras")}</h2>
      <div className="table-box">
        <table className="table">
          <thead>
            <tr>
              <th scope="col">{t("system.camera")}</th>
              <th scope="col">{t("system.state")}</th>
              <th scope="col" className="number">
                {t("system.proven")}
              </th>
              <th scope="col" className="number">
                {t("system.received")}
              </th>
              <th scope="col" className="number">
                {t("system.sent")}
              </th>
              <th scope="col" className="number">
                {t("system.recorded")}
              </th>
              <th scope="col" className="number">
                {t("system.connects")}
              </th>
            </tr>
          </thead>
          <tbody>
            {(cameras ?? []).map((camera) => (
              <CameraRow
                key={camera.id}
                camera={camera}
                stored={storage?.cameras.find((each) => each.camera === camera.id)}
                locale={locale}
              />
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

interface RowProps {
  readonly camera: Camera;
  readonly stored: Stored | undefined;
  readonly locale: string;
}

function CameraRow({ camera, stored, locale }: RowProps): ReactElement {
  const { t, live } = useAppContext();
  const { tone, words } = describeLive(useLiveSummary(live, camera.id), t);
  return (
    <tr>
      <th scope="row">
        <Link to={cameraPath(camera.id)}>{camera.name === "" ? camera.id : camera.name}</Link>
        <span className="quiet">{camera.place}</span>
      </th>
      <td>
        <Tag tone={tone}>{words}</Tag>
        {waitsForSignature(camera) ? (
          <Link to={commissionPath(camera.id)} className="quiet">
            {t("commission.link", { count: camera.counters.candidate_blocks })}
          </Link>
        ) : null}
      </td>
      <td className="number">{`${Math.floor(camera.proven_share * 100)}%`}</td>
      <td className="number">
        <bdi>{bytesText(camera.counters.bytes_received, locale)}</bdi>
      </td>
      <td className="number">
        <bdi>{bitsText(camera.sent_bits_per_second, locale)}</bdi>
      </td>
      <td className="number">
        <bdi>{stored === undefined ? "–" : bytesText(stored.bytes, locale)}</bdi>
        {stored === undefined || stored.error === "" ? null : (
          <Tag tone="degraded">{t("system.notRecorded", { detail: stored.error })}</Tag>
        )}
      </td>
      <td className="number">{camera.counters.connects}</td>
    </tr>
  );
}
