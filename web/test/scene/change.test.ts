import { describe, expect, test } from "vitest";
import { changeOf } from "../../src/scene/change";
import { makeGrid } from "../../src/scene/grid";
import { NOTHING_SEEN, type SceneView } from "../../src/scene/reader";
import type { Background, Cover, Head, Light, State } from "../../src/scene/scene";

const GRID = makeGrid(64, 16, 8, 0);

function head(sequence: number): Head {
  return { session: 1n, sequence: BigInt(sequence), wallNs: 1_700_000_000_000_000_000n };
}

function cover(sequence: number, ...bytes: number[]): Cover {
  const covered = { rows: 2, columns: 8, bytes: Uint8Array.from(bytes) };
  return { kind: "cover", head: head(sequence), epoch: 0, durationNs: 200_000_000, covered };
}

const background: Background = {
  kind: "background",
  head: head(1),
  grid: GRID,
  proven: { rows: 2, columns: 8, bytes: Uint8Array.of(255, 255) },
  imageType: "image/webp",
  image: Uint8Array.of(1),
  oldestWallNs: 1n,
  newestWallNs: 1n,
};
const light: Light = {
  kind: "light",
  head: head(2),
  epoch: 0,
  columns: 1,
  rows: 1,
  gain: Uint8Array.of(128),
  offset: Uint8Array.of(128),
};
const state: State = {
  kind: "state",
  head: head(4),
  condition: "awake",
  reason: "none",
  coverUntilWallNs: 0n,
  grid: GRID,
  provenBlocks: 16,
  blindBlocks: 0,
};
const seen: SceneView = { ...NOTHING_SEEN, head: head(3), grid: GRID, background, light, cover: cover(3, 0, 24) };

describe("what is drawn anew", () => {
  test("nothing for a heartbeat, nor for a cover that is said again", () => {
    expect(changeOf(seen, { ...seen, head: state.head, state })).toBe("none");
    expect(changeOf(seen, { ...seen, cover: cover(5, 0, 24) })).toBe("none");
    expect(changeOf(null, null)).toBe("none");
  });

  test("paint for another cover or light, and for the first or no cover at all", () => {
    expect(changeOf(seen, { ...seen, cover: cover(5, 0, 25) })).toBe("painting");
    expect(changeOf(seen, { ...seen, cover: null })).toBe("painting");
    expect(changeOf({ ...seen, cover: null }, seen)).toBe("painting");
    expect(changeOf(seen, { ...seen, light: { ...light, gain: Uint8Array.of(130) } })).toBe("painting");
  });

  test("the background for another one, a patch, another grid, and where nothing was or is known", () => {
    expect(changeOf(seen, { ...seen, background: { ...background } })).toBe("background");
    expect(changeOf(seen, { ...seen, patches: [] })).toBe("background");
    expect(changeOf(seen, { ...seen, grid: makeGrid(64, 16, 8, 1) })).toBe("background");
    expect(changeOf(null, seen)).toBe("background");
    expect(changeOf(seen, null)).toBe("background");
  });
});
