/**
 * What the page that is being opened needs to know. main.tsx imports this first: it is asked for before anything else is done,
 * and the answers come while the page is built.
 */

import { fetchCameras, fetchSite, fetchTimeline } from "../api/client";
import { begin } from "../camera/player";
import { Overview } from "../timeline/overview";
import { askedEarly } from "./early";
import { parseRoute } from "./route";

const never = new AbortController().signal;

/** Building the page once, with what it shows, takes less time than building it twice. But nobody looks at nothing for longer. */
const PATIENCE_MS = 150;

export const cameras = askedEarly(fetchCameras, never);
export const site = askedEarly(fetchSite, never);

/** When there is something to show, or no more time to wait for it. */
export const worthShowing: Promise<unknown> = Promise.race([
  Promise.all([cameras.settled, site.settled]),
  new Promise((done) => setTimeout(done, PATIENCE_MS)),
]);

function overviewOf(camera: string): Overview {
  return new Overview((fromMs, toMs, bins, signal) => fetchTimeline(camera, fromMs, toMs, bins, signal));
}

/** The camera that the page was opened with, and its timeline. */
let opened = ((): { readonly camera: string; readonly overview: Overview } | null => {
  const route = parseRoute(location.pathname, location.search);
  if (route.page !== "camera") return null;
  const overview = overviewOf(route.camera);
  const nowMs = Date.now();
  // Nothing is laid out yet: the strip will be about as wide as the window.
  overview.want(begin(route.atMs, route.spanMs, nowMs).window, innerWidth, nowMs);
  return { camera: route.camera, overview };
})();

/** A camera's timeline, for one page: the first was asked for already. */
export function openOverview(camera: string): Overview {
  const overview = opened?.camera === camera ? opened.overview : overviewOf(camera);
  opened = null;
  return overview;
}
