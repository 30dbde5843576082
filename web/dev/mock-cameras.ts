/** The cameras of the mock server: one of each condition. */

import type { Condition, Reason } from "../src/scene/scene";

export interface DevCamera {
  readonly id: string;
  readonly name: string;
  readonly place: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly condition: Condition;
  readonly reason: Reason;
  /** Share proven when the page opens; grows if below 1. */
  readonly proven: number;
  readonly silent?: boolean;
}

export const CAMERAS: readonly DevCamera[] = [
  {
    id: "gate",
    name: "Gate",
    place: "Main gate, north",
    seed: 1,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
  },
  {
    id: "bay",
    name: "Loading bay",
    place: "Hall 2, east side",
    seed: 2,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
  },
  {
    id: "yard",
    name: "Yard",
    place: "Behind hall 2",
    seed: 3,
    width: 768,
    height: 576,
    condition: "awake",
    reason: "none",
    proven: 0.3,
  },
  {
    id: "store",
    name: "Store",
    place: "Hall 1, racks",
    seed: 4,
    width: 1280,
    height: 720,
    condition: "asleep",
    reason: "none",
    proven: 1,
  },
  {
    id: "stairs",
    name: "Stairs",
    place: "Office, ground floor",
    seed: 5,
    width: 768,
    height: 576,
    condition: "blind",
    reason: "moved",
    proven: 1,
  },
  {
    id: "roof",
    name: "Roof",
    place: "Hall 1, roof",
    seed: 6,
    width: 1280,
    height: 720,
    condition: "offline",
    reason: "refused",
    proven: 0,
  },
  {
    id: "fence",
    name: "Fence",
    place: "South fence",
    seed: 7,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "none",
    proven: 1,
    silent: true,
  },
  {
    id: "ramp",
    name: "Ramp",
    place: "Hall 2, west side",
    seed: 8,
    width: 1280,
    height: 720,
    condition: "awake",
    reason: "overloaded",
    proven: 1,
  },
];
