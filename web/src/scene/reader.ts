/**
 * Follows a scene stream: what is known of the place after each message. The same rules as src/privet/core/reader.py.
 *
 * Rules (docs/ref/scene-stream.md, "What a reader must do"):
 * - a message of another session than the last one's begins anew: everything is forgotten;
 * - within a session a background, light, cover or state acts only if its sequence is greater than that of the last one of its
 *   own kind; a patch only if greater than the last patch's and the background's. So what is in force can be sent again, in the
 *   order background, patches, light, cover, state, whatever their sequences. A gap in the sequence is no error:
 *   covers may be dropped;
 * - a background replaces background and patches and sets the grid; unless the grid is the same, light and cover are forgotten
 *   (a background of another grid than a newer state has set is skipped);
 * - a state that is newer than the background and names another grid sets the grid and forgets background, patches, light and
 *   cover;
 * - patches, covers and lights of another epoch than the grid's are skipped, patches also without a background;
 * - at most MAX_PATCHES patches are kept between two backgrounds; further ones are skipped (their blocks stay as they were).
 *
 * Pictures stay encoded here: `background-picture.ts` decodes them. `patches` are those since `background`, in order.
 */

import { sameGrid, type Grid } from "./grid";
import type { Background, Cover, Head, Light, Patch, Scene, State } from "./scene";
import { fromMessage, WireError } from "./wire";
import type { SceneMessage } from "./pb/privet/v1/scene_pb";

export const STALE_AFTER_MS = 2000;
const STALE_AFTER_NS = 2_000_000_000n;
export const MAX_PATCHES = 4096;

/** Everything a picture is drawn from. `head` is the newest seen of the session, whether or not its message acted. */
export interface SceneView {
  readonly head: Head | null;
  readonly grid: Grid | null;
  readonly background: Background | null;
  readonly patches: readonly Patch[];
  readonly light: Light | null;
  readonly cover: Cover | null;
  readonly state: State | null;
}

export const NOTHING_SEEN: SceneView = {
  head: null,
  grid: null,
  background: null,
  patches: [],
  light: null,
  cover: null,
  state: null,
};

/** What is known after `scene`. */
export function follow(before: SceneView, scene: Scene): SceneView {
  const { head } = scene;
  let view = before;
  if (view.head === null || head.session !== view.head.session) view = { ...NOTHING_SEEN, head };
  else if (head.sequence > view.head.sequence) view = { ...view, head };
  switch (scene.kind) {
    case "background":
      return followBackground(view, scene);
    case "patch":
      return followPatch(view, scene);
    case "cover": {
      const { rows, columns } = scene.covered;
      const fits = view.grid?.epoch === scene.epoch && view.grid.rows === rows && view.grid.columns === columns;
      return fits && isNewer(head, view.cover) ? { ...view, cover: scene } : view;
    }
    case "light":
      return view.grid?.epoch === scene.epoch && isNewer(head, view.light) ? { ...view, light: scene } : view;
    case "state":
      return followState(view, scene);
  }
}

/**
 * Decode and follow a stream; what a reader must skip is skipped. Messages that break the specification are left out and told to
 * `rejected`. Gives the view after every message that was taken.
 */
export function followMessage(before: SceneView, message: SceneMessage, rejected: (error: WireError) => void): SceneView {
  try {
    const scene = fromMessage(message, before.grid);
    return scene === null ? before : follow(before, scene);
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    rejected(error);
    return before;
  }
}

function isNewer(head: Head, than: Scene | null): boolean {
  return than === null || head.sequence > than.head.sequence;
}

function followBackground(view: SceneView, scene: Background): SceneView {
  if (!isNewer(scene.head, view.background)) return view;
  if (sameGrid(view.grid, scene.grid)) return { ...view, background: scene, patches: [] };
  // A newer state has set another grid.
  if (view.grid !== null && view.background === null && !isNewer(scene.head, view.state)) return view;
  return { ...view, grid: scene.grid, background: scene, patches: [], light: null, cover: null };
}

function followPatch(view: SceneView, scene: Patch): SceneView {
  const { background, grid, patches } = view;
  if (background === null || grid?.epoch !== scene.epoch || patches.length >= MAX_PATCHES) return view;
  const last = patches.at(-1) ?? background;
  const { rows, columns } = scene.promoted;
  const inside = scene.row + rows <= grid.rows && scene.column + columns <= grid.columns;
  return inside && isNewer(scene.head, last) ? { ...view, patches: [...patches, scene] } : view;
}

function followState(before: SceneView, scene: State): SceneView {
  if (!isNewer(scene.head, before.state)) return before;
  const view = { ...before, state: scene };
  if (scene.grid === null || sameGrid(scene.grid, view.grid) || !isNewer(scene.head, view.background)) return view;
  return { ...view, grid: scene.grid, background: null, patches: [], light: null, cover: null };
}

/**
 * Until when `cover` describes the place, ns UTC; 0 without one. A state that came after the cover extends it, at most to
 * STALE_AFTER_NS past the state itself: a heartbeat speaks for the next two seconds, not for the night.
 */
export function coveredUntilWallNs(view: SceneView): bigint {
  if (view.cover === null) return 0n;
  const end = view.cover.head.wallNs + BigInt(view.cover.durationNs);
  const { state } = view;
  if (state === null || state.head.sequence <= view.cover.head.sequence) return end;
  const description = state.head.wallNs + STALE_AFTER_NS;
  const extended = state.coverUntilWallNs < description ? state.coverUntilWallNs : description;
  return extended > end ? extended : end;
}
