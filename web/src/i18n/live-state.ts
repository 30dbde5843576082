/** A camera's state in one sentence, from what its live stream says. */

import type { LiveSummary } from "../app/use-live-summary";
import { stateKey, toneOf, type Tone } from "./condition";
import type { Translate } from "./translate";

export interface Description {
  readonly tone: Tone;
  readonly words: string;
}

/** All proven: the last few blocks of a picture may never be (a flag, a tree), and nobody should wait for them. */
export const PROVEN_PERCENT = 97;

export function describeLive(summary: LiveSummary, t: Translate): Description {
  if (summary.condition === null) return { tone: "unknown", words: t("state.silent") };
  if (summary.freshness === "silent") return { tone: "unknown", words: t("state.stale", { seconds: summary.staleSeconds }) };
  // A camera that is seldom looked at says little, and that is why.
  if (summary.freshness === "unknown" && stateKey(summary.condition, summary.reason) !== "state.sparse") {
    return { tone: "unknown", words: t("state.unknown", { seconds: summary.staleSeconds }) };
  }
  const { condition, reason } = summary;
  const tone = toneOf(condition, reason);
  if (reason !== "none" || condition !== "awake") return { tone, words: t(stateKey(condition, reason)) };
  if (summary.freshness === "waiting") return { tone: "quiet", words: t("state.starting") };
  if (summary.provenPercent < PROVEN_PERCENT) {
    return { tone: "degraded", words: t("state.proving", { share: `${summary.provenPercent}%` }) };
  }
  return summary.covered ? { tone: "busy", words: t("wall.something") } : { tone, words: t("state.guarded") };
}
