/** main.tsx imports this first: what the page needs is asked for before the page's own modules run. */

import { fetchCameras, fetchSite, fetchTimeline } from "./api/client";
import { Prefetch } from "./app/prefetch";

export const prefetch = new Prefetch(
  { fetchCameras, fetchSite, fetchTimeline },
  { path: location.pathname, search: location.search, widthPx: innerWidth, nowMs: Date.now() },
);
