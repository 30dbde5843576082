/** What has to be done anew when a view follows another: nothing, painting, or the background itself. Pure. */

import { sameGrid } from "./grid";
import type { SceneView } from "./reader";
import type { Cover } from "./scene";

/**
 * none: it looks the same, however much was said (a heartbeat, a cover said again). painting: the same picture, covered or lit
 * otherwise. background: another one.
 */
export type Change = "none" | "painting" | "background";

export function changeOf(before: SceneView | null, after: SceneView | null): Change {
  if (before === null || after === null) return before === after ? "none" : "background";
  const sameBackground =
    before.background === after.background && before.patches === after.patches && sameGrid(before.grid, after.grid);
  if (!sameBackground) return "background";
  return before.light === after.light && sameCover(before.cover, after.cover) ? "none" : "painting";
}

const NO_BYTES = new Uint8Array(0);

/** Whether the same blocks are covered. */
function sameCover(a: Cover | null, b: Cover | null): boolean {
  if (a === b) return true;
  if (a?.covered.columns !== b?.covered.columns || a?.covered.rows !== b?.covered.rows) return false;
  const left = a?.covered.bytes ?? NO_BYTES;
  const right = b?.covered.bytes ?? NO_BYTES;
  if (left.length !== right.length) return false;
  for (let index = 0; index < left.length; index++) if (left[index] !== right[index]) return false;
  return true;
}
