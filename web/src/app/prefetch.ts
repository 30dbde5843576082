/**
 * What the page that is being opened needs to know. main.tsx imports this first: it is asked for before anything else is done,
 * and the answers come while the page is built.
 */

import { fetchCameras, fetchSite, fetchTimeline } from "../api/client";
import { begin } from "../camera/playback";
import { TimelineLoader } from "../timeline/timeline-loader";
import { prefetched } from "./prefetched";
import { parseRoute } from "./route";

const never = new AbortController().signal;

/** Building the page once, with what it shows, takes less time than building it twice. But nobody looks at nothing for longer. */
const PATIENCE_MS = 150;

export const cameras = prefetched(fetchCameras, never);
export const site = prefetched(fetchSite, never);

/** When there is something to show, or no more time to wait for it. */
export const worthShowing: Promise<unknown> = Promise.race([
  Promise.all([cameras.settled, site.settled]),
  new Promise((done) => setTimeout(done, PATIENCE_MS)),
]);

function loaderOf(camera: string): TimelineLoader {
  return new TimelineLoader((fromMs, toMs, bins, signal) => fetchTimeline(camera, fromMs, toMs, bins, signal));
}

/** The camera that the page was opened with, and its timeline. */
let opened = ((): { readonly camera: string; readonly loader: TimelineLoader } | null => {
  const route = parseRoute(location.pathname, location.search);
  if (route.page !== "camera") return null;
  const loader = loaderOf(route.camera);
  const nowMs = Date.now();
  // Nothing is laid out yet: the strip will be about as wide as the window.
  loader.want(begin(route.atMs, route.spanMs, nowMs).window, innerWidth, nowMs);
  return { camera: route.camera, loader };
})();

/** A camera's timeline, for one page: the first was asked for already. */
export function openTimeline(camera: string): TimelineLoader {
  const loader = opened?.camera === camera ? opened.loader : loaderOf(camera);
  opened = null;
  return loader;
}
