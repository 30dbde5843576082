import { describe, expect, it } from "vitest";
import type { Camera, Offer } from "../../src/api/client";
import { afterFailure, isOver, leftText, secondsLeft, waitsForSignature, type Step } from "../../src/pages/commission-state";

const OFFER: Offer = {
  offer: "00",
  picture: "/p",
  picture_sha256: "",
  width_px: 16,
  height_px: 16,
  block_px: 8,
  columns: 2,
  rows: 2,
  blocks: 4,
  bitmap: "8A==",
  made_ms: 0,
  expires_ms: 0,
  good_for_ms: 300_000,
};
const OFFERED = { kind: "offered", offer: OFFER, picture: "blob:x", untilMs: 300_000, problem: null } as const;
const DECIDING = { kind: "deciding", offer: OFFER, picture: "blob:x", untilMs: 300_000 } as const;

describe("commissioning", () => {
  it("ends an offer with its time, but not a decision that is under way", () => {
    expect(isOver(OFFERED, 299_999)).toBe(false);
    expect(isOver(OFFERED, 300_000)).toBe(true);
    const others: Step[] = [DECIDING, { kind: "idle" }, { kind: "asking" }, { kind: "failed", detail: "" }];
    for (const step of others) expect(isOver(step, 10 ** 9)).toBe(false);
  });

  it("counts down in minutes and seconds", () => {
    expect(secondsLeft(300_000, 0)).toBe(300);
    expect(secondsLeft(300_000, 299_001)).toBe(1);
    expect(secondsLeft(300_000, 400_000)).toBe(0);
    expect([300, 61, 9, 0].map(leftText)).toEqual(["5:00", "1:01", "0:09", "0:00"]);
  });

  it("keeps the offer only where nothing was done", () => {
    expect(afterFailure(DECIDING, 503, "no picture")).toEqual({ ...OFFERED, problem: "no picture" });
    for (const status of [0, 404, 409, 504])
      expect(afterFailure(DECIDING, status, "why")).toEqual({ kind: "failed", detail: "why" });
  });

  it("finds the cameras that wait", () => {
    const camera = (count: number): Camera => ({ counters: { candidate_blocks: count } }) as unknown as Camera;
    expect([0, 1].map((count) => waitsForSignature(camera(count)))).toEqual([false, true]);
  });
});
