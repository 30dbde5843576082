/** Commissioning a camera: a person looks at what would become background, and signs or refuses. */

import { useEffect, useRef, useState, type ReactElement } from "react";
import { ApiError, type Camera, type Decision, type Offer, type Session } from "../api/client";
import { useNow } from "../app/use-now";
import { cameraPath } from "../app/route";
import { useAppContext } from "../app/context";
import { usePolled } from "../app/use-polled";
import { Button, Link } from "../design/components";
import { agoText } from "../time/zone";
import { afterFailure, isOver, leftText, secondsLeft, type Step } from "./commission-state";

const SESSION_EVERY_MS = 60_000;

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

type Decide = (camera: string, offer: string) => Promise<Decision>;

/** What the page asks of the recorder. */
export interface CommissionPorts {
  readonly fetchSession: (signal: AbortSignal) => Promise<Session>;
  readonly askOffer: (camera: string) => Promise<Offer>;
  /** An object URL of the picture: revoked when it is decided on. */
  readonly fetchOffered: (offer: Offer) => Promise<string>;
  readonly signOffer: Decide;
  readonly refuseOffer: Decide;
}

interface Props {
  readonly camera: Camera;
  readonly ports: CommissionPorts;
}

export function CommissionPage({ camera, ports }: Props): ReactElement {
  const { t } = useAppContext();
  const name = camera.name === "" ? camera.id : camera.name;
  const session = usePolled(ports.fetchSession, SESSION_EVERY_MS).data;
  const [step, setStep] = useState<Step>({ kind: "idle" });
  const nowMs = useNow();
  const shown: Step = isOver(step, nowMs) ? { kind: "over" } : step;
  const alive = useRef(true);
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
    };
  }, []);
  const picture = shown.kind === "offered" || shown.kind === "deciding" ? shown.picture : null;
  // The browser forgets the picture when it is decided on, when its time is over, and when the page is left.
  useEffect(() => (picture === null ? undefined : () => URL.revokeObjectURL(picture)), [picture]);

  const ask = async (): Promise<void> => {
    setStep({ kind: "asking" });
    try {
      const offer = await ports.askOffer(camera.id);
      const untilMs = Date.now() + offer.good_for_ms;
      const picture = await ports.fetchOffered(offer);
      if (alive.current) setStep({ kind: "offered", offer, picture, untilMs, problem: null });
      else URL.revokeObjectURL(picture);
    } catch (error) {
      setStep({ kind: "failed", detail: wordsOf(error) });
    }
  };
  const decide = async (act: Decide): Promise<void> => {
    if (step.kind !== "offered") return;
    const deciding = { ...step, kind: "deciding" } as const;
    setStep(deciding);
    try {
      setStep({ kind: "decided", decision: await act(camera.id, step.offer.offer) });
    } catch (error) {
      setStep(afterFailure(deciding, error instanceof ApiError ? error.status : 0, wordsOf(error)));
    }
  };

  return (
    <article className="commission">
      <header className="camera-head">
        <Link to={cameraPath(camera.id)} className="camera-back" label={t("commission.back")}>
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path d="M10 3 5 8l5 5" />
          </svg>
        </Link>
        <h1>{t("commission.title", { camera: name })}</h1>
      </header>
      <p className="commission-why">{t("commission.why")}</p>
      {shown.kind === "offered" || shown.kind === "deciding" ? (
        <Offered
          camera={camera}
          name={name}
          step={shown}
          nowMs={nowMs}
          onSign={() => void decide(ports.signOffer)}
          onRefuse={() => void decide(ports.refuseOffer)}
        />
      ) : session !== null && !session.permissions.includes("commission") ? (
        <p className="commission-said">{t("commission.notAllowed")}</p>
      ) : (
        <>
          <Said step={shown} />
          <Button disabled={shown.kind === "asking"} onClick={() => void ask()}>
            {t(shown.kind === "asking" ? "commission.asking" : shown.kind === "idle" ? "commission.ask" : "commission.again")}
          </Button>
        </>
      )}
    </article>
  );
}

function Said({ step }: { readonly step: Step }): ReactElement {
  const { t } = useAppContext();
  return (
    <div className="commission-said" role="status">
      {step.kind === "decided" ? <Decided decision={step.decision} /> : null}
      {step.kind === "over" ? <p>{t("commission.over")}</p> : null}
      {step.kind === "failed" ? <p>{t("commission.failed", { detail: step.detail })}</p> : null}
    </div>
  );
}

function Decided({ decision }: { readonly decision: Decision }): ReactElement {
  const { t } = useAppContext();
  if (decision.outcome === "refused") return <p>{t("commission.refused")}</p>;
  return (
    <>
      <p>{t("commission.signed", { count: decision.signed_blocks })}</p>
      {decision.lapsed_blocks === 0 ? null : <p>{t("commission.lapsed", { count: decision.lapsed_blocks })}</p>}
      {decision.saved ? null : <p>{t("commission.unsaved")}</p>}
      <p className="quiet">{t("commission.next")}</p>
    </>
  );
}

interface OfferedProps {
  readonly camera: Camera;
  readonly name: string;
  readonly step: Step & { readonly kind: "offered" | "deciding" };
  readonly nowMs: number;
  readonly onSign: () => void;
  readonly onRefuse: () => void;
}

function Offered({ camera, name, step, nowMs, onSign, onRefuse }: OfferedProps): ReactElement {
  const { t, locale } = useAppContext();
  const [looked, setLooked] = useState(false);
  const [loaded, setLoaded] = useState(false);
  const { offer } = step;
  const left = secondsLeft(step.untilMs, nowMs);
  const busy = step.kind === "deciding";
  const oldestMs = camera.background_oldest_ms;
  return (
    <>
      <figure className="commission-picture">
        <img
          src={step.picture}
          width={offer.width_px}
          height={offer.height_px}
          alt={t("commission.picture", { camera: name })}
          onLoad={() => setLoaded(true)}
        />
        <figcaption>
          <span>{t("commission.offered", { count: offer.blocks })}</span>
          <span>
            {oldestMs === null ? t("commission.noAge") : t("commission.age", { age: agoText(oldestMs, nowMs, locale) })}
          </span>
          <span role="timer" className="figure">
            {t("commission.left", { time: leftText(left) })}
          </span>
        </figcaption>
      </figure>
      <p className="quiet">{t("commission.flat")}</p>
      <p>{t("commission.look")}</p>
      <label className="commission-looked">
        <input type="checkbox" checked={looked} disabled={busy} onChange={(event) => setLooked(event.target.checked)} />
        {t("commission.looked")}
      </label>
      <div className="commission-acts">
        <Button disabled={busy} onClick={onRefuse}>
          {t("commission.refuse")}
        </Button>
        <Button disabled={busy || !looked || !loaded} onClick={onSign}>
          {t("commission.sign")}
        </Button>
      </div>
      <p className="commission-said" role="status">
        {step.kind === "offered" && step.problem !== null ? t("commission.undecided", { detail: step.problem }) : null}
        {left > 0 && left < 60 ? <span className="unseen">{t("commission.soon")}</span> : null}
      </p>
    </>
  );
}
