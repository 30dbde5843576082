/** Commissioning, step by step, as values: what the page shows is a function of these. No fetching, no React. */

import type { Camera, Decision, Offer } from "../api/client";

export type Step =
  | { readonly kind: "idle" }
  | { readonly kind: "asking" }
  | {
      readonly kind: "offered";
      readonly offer: Offer;
      readonly picture: string;
      readonly untilMs: number;
      readonly problem: string | null;
    }
  | { readonly kind: "deciding"; readonly offer: Offer; readonly picture: string; readonly untilMs: number }
  | { readonly kind: "decided"; readonly decision: Decision }
  | { readonly kind: "over" }
  | { readonly kind: "failed"; readonly detail: string };

export function waitsForSignature(camera: Camera): boolean {
  return camera.counters.candidate_blocks > 0;
}

/** Whether the offer's time is over while nothing is under way. By our own clock from when it came: the server's may differ. */
export function isOver(step: Step, nowMs: number): boolean {
  return step.kind === "offered" && nowMs >= step.untilMs;
}

/** Whole seconds left, never below 0. */
export function secondsLeft(untilMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((untilMs - nowMs) / 1000));
}

/** "4:07". */
export function leftText(seconds: number): string {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** What is left to be said once a decision did not go through: try again with the same offer only where nothing was done. */
export function afterFailure(step: Step & { readonly kind: "deciding" }, status: number, detail: string): Step {
  return status === 503 ? { ...step, kind: "offered", problem: detail } : { kind: "failed", detail };
}
