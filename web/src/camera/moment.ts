/** What is said of the moment shown: of live what the stream says now, of the past what it said then. Pure. */

import type { LiveSummary } from "../app/use-live-summary";
import { stateKey, toneOf } from "../i18n/condition";
import { describeLive, type Description } from "../i18n/live-state";
import type { Translate } from "../i18n/translate";
import type { Freshness } from "../scene/freshness";
import type { Condition, Reason } from "../scene/scene";
import type { Shown } from "./scene-player";

export interface MomentDescription extends Description {
  /** Whether the picture may not be how it is, or was. */
  readonly dim: boolean;
  /** Words across the picture; null while it speaks for itself. */
  readonly veil: string | null;
  /** Read out to who cannot see the picture. */
  readonly announced: string;
}

/** Of the past: what was known of the camera then. */
export interface Past {
  readonly kind: Shown["kind"];
  readonly freshness: Freshness;
  readonly condition: Condition | null;
  readonly reason: Reason;
}

export function describeNow(summary: LiveSummary, t: Translate): MomentDescription {
  const description = describeLive(summary, t);
  const dim = summary.freshness !== "shown";
  const { words } = description;
  return { ...description, dim, veil: dim ? words : null, announced: dim ? words : t("camera.live") };
}

export function describePast({ kind, freshness, condition, reason }: Past, t: Translate): MomentDescription {
  if (kind === "buffering") return { dim: false, tone: "quiet", words: t("camera.loading"), veil: null, announced: "" };
  if (kind === "gap" || kind === "unwritten") {
    const words = t(kind === "gap" ? "camera.gap" : "camera.unwritten");
    return { dim: true, tone: "unknown", words, veil: words, announced: words };
  }
  const words = pastWords(freshness, condition, reason, t);
  const tone = freshness === "unknown" || condition === null ? "unknown" : toneOf(condition, reason);
  const dim = freshness !== "shown";
  return { dim, tone: tone === "guarded" ? "quiet" : tone, words, veil: dim ? words : null, announced: words };
}

function pastWords(freshness: Freshness, condition: Condition | null, reason: Reason, t: Translate): string {
  if (freshness === "unknown") return t("camera.wasUnknown");
  if (condition !== null && reason !== "none") return t(stateKey(condition, reason));
  if (freshness === "waiting" || condition === null) return t("camera.wasStarting");
  if (condition === "asleep") return t("camera.wasAsleep");
  return condition === "awake" ? t("camera.past") : t(stateKey(condition, reason));
}
