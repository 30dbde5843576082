/** The parts of the scene stream as values. The same as src/privet/core/scene.py; bitmaps stay packed. */

import type { Bitmap } from "./bits";
import type { Grid } from "./grid";

export const CONDITIONS = ["starting", "awake", "asleep", "blind", "offline"] as const;
export type Condition = (typeof CONDITIONS)[number];

export const REASONS = [
  "none",
  "unreachable",
  "refused",
  "not_found",
  "no_video",
  "codec",
  "stalled",
  "ended",
  "damaged",
  "moved",
  "obscured",
  "worker",
  "no_detector",
  "protocol",
  "overloaded",
  "unsaved",
] as const;
export type Reason = (typeof REASONS)[number];

export const IMAGE_TYPES = ["image/webp", "image/png"] as const;
export type ImageType = (typeof IMAGE_TYPES)[number];

/** Order is (session, sequence); the wall clock is an attribute and may step. */
export interface Head {
  readonly session: bigint;
  readonly sequence: bigint;
  readonly wallNs: bigint;
}

/** The whole proven background. `image` is empty while nothing is proven. */
export interface Background {
  readonly kind: "background";
  readonly head: Head;
  readonly grid: Grid;
  readonly proven: Bitmap;
  readonly imageType: ImageType;
  readonly image: Uint8Array;
  readonly oldestWallNs: bigint;
  readonly newestWallNs: bigint;
}

/** Blocks promoted since the last message, over the rectangle that begins at (row, column). */
export interface Patch {
  readonly kind: "patch";
  readonly head: Head;
  readonly epoch: number;
  readonly column: number;
  readonly row: number;
  readonly promoted: Bitmap;
  readonly imageType: ImageType;
  readonly image: Uint8Array;
}

/** Where something is that is not background, during [wallNs, wallNs + durationNs). */
export interface Cover {
  readonly kind: "cover";
  readonly head: Head;
  readonly epoch: number;
  readonly durationNs: number;
  readonly covered: Bitmap;
}

/** shown = background * gain + offset; one byte a cell each, coded as in scene.proto. */
export interface Light {
  readonly kind: "light";
  readonly head: Head;
  readonly epoch: number;
  readonly columns: number;
  readonly rows: number;
  readonly gain: Uint8Array;
  readonly offset: Uint8Array;
}

/** The heartbeat. */
export interface State {
  readonly kind: "state";
  readonly head: Head;
  readonly condition: Condition;
  readonly reason: Reason;
  readonly coverUntilWallNs: bigint;
  readonly grid: Grid | null;
  readonly provenBlocks: number;
  readonly blindBlocks: number;
}

export type Scene = Background | Patch | Cover | Light | State;

const NS_PER_MS = 1_000_000n;

/** Whole milliseconds UTC, as the API and the pages count. */
export function msOf(wallNs: bigint): number {
  return Number(wallNs / NS_PER_MS);
}
