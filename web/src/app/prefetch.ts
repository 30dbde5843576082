/** What the page that is being opened needs to know, asked for before the page is built. */

import type { Camera, Site } from "../api/client";
import { begin } from "../camera/playback";
import { TimelineLoader, type Ask } from "../timeline/timeline-loader";
import { prefetched, type Prefetched } from "./prefetched";
import { parseRoute } from "./route";

export interface PrefetchPorts {
  readonly fetchSite: (signal: AbortSignal) => Promise<Site>;
  readonly fetchCameras: (signal: AbortSignal) => Promise<Camera[]>;
  readonly fetchTimeline: (camera: string, ...window: Parameters<Ask>) => ReturnType<Ask>;
}

/** The window that the page is opened in. */
export interface Opening {
  readonly path: string;
  readonly search: string;
  readonly widthPx: number;
  readonly nowMs: number;
}

/** Building the page once, with what it shows, takes less time than building it twice. But nobody looks at nothing for longer. */
const PATIENCE_MS = 150;

export class Prefetch {
  readonly cameras: Prefetched<[AbortSignal], Camera[]>;
  readonly site: Prefetched<[AbortSignal], Site>;
  /** When there is something to show, or no more time to wait for it. */
  readonly worthShowing: Promise<unknown>;
  readonly #ports: PrefetchPorts;
  /** The camera that the page was opened with, and its timeline. */
  #opened: { readonly camera: string; readonly loader: TimelineLoader } | null = null;

  constructor(ports: PrefetchPorts, { path, search, widthPx, nowMs }: Opening) {
    this.#ports = ports;
    const never = new AbortController().signal;
    this.cameras = prefetched(ports.fetchCameras, never);
    this.site = prefetched(ports.fetchSite, never);
    this.worthShowing = Promise.race([
      Promise.all([this.cameras.settled, this.site.settled]),
      new Promise((done) => setTimeout(done, PATIENCE_MS)),
    ]);
    const route = parseRoute(path, search);
    if (route.page !== "camera") return;
    const loader = this.#load(route.camera);
    // Nothing is laid out yet: the strip will be about as wide as the window.
    loader.want(begin(route.atMs, route.spanMs, nowMs).window, widthPx, nowMs);
    this.#opened = { camera: route.camera, loader };
  }

  /** A camera's timeline, for one page: the first was asked for already. */
  readonly openTimeline = (camera: string): TimelineLoader => {
    const loader = this.#opened?.camera === camera ? this.#opened.loader : this.#load(camera);
    this.#opened = null;
    return loader;
  };

  #load(camera: string): TimelineLoader {
    return new TimelineLoader((...window) => this.#ports.fetchTimeline(camera, ...window));
  }
}
