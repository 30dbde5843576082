/** Components in a document: what an application gives them, made up; the parts of a browser that happy-dom leaves out. */

import { cleanup, render, type RenderResult } from "@testing-library/react";
import type { ReactElement } from "react";
import { afterEach, vi } from "vitest";
import type { Camera, Site } from "../src/api/client";
import { AppContext, type AppValues } from "../src/app/context";
import { directionOf, localeOf, translator, type Language } from "../src/i18n/translate";
import { Renderer } from "../src/scene/renderer";
import { FakeLive, GRID, WALL_MS } from "./fake-live";

const SIZE = { width: 1200, height: 800 };

/** Says once how large the element is, as a browser does when it is first watched. */
class FakeResizeObserver implements ResizeObserver {
  readonly #changed: ResizeObserverCallback;

  constructor(changed: ResizeObserverCallback) {
    this.#changed = changed;
  }

  observe(target: Element): void {
    Object.defineProperties(target, { clientWidth: { value: SIZE.width }, clientHeight: { value: SIZE.height } });
    const contentRect = new DOMRect(0, 0, SIZE.width, SIZE.height);
    this.#changed([{ target, contentRect, borderBoxSize: [], contentBoxSize: [], devicePixelContentBoxSize: [] }], this);
  }

  unobserve(): void {
    // It says it once.
  }

  disconnect(): void {
    // It says it once.
  }
}

/** No graphics card and no pixels: what is painted is tested in Chromium. */
class FakeOffscreenCanvas extends EventTarget {
  getContext(): null {
    return null;
  }
}

vi.stubGlobal("ResizeObserver", FakeResizeObserver);
vi.stubGlobal("OffscreenCanvas", FakeOffscreenCanvas);
afterEach(cleanup);

export function cameraOf(id: string, changes: Partial<Camera> = {}): Camera {
  return {
    id,
    name: id.toUpperCase(),
    place: "North gate",
    purpose: "See whether the gate was left open",
    controller: "Facilities",
    condition: "awake",
    reason: "none",
    since_ms: WALL_MS,
    heard_ms: WALL_MS,
    stale: false,
    grid: { width_px: GRID.widthPx, height_px: GRID.heightPx, block_px: 8, epoch: 0, columns: GRID.columns, rows: GRID.rows },
    proven_blocks: 8,
    blind_blocks: 0,
    proven_share: 1,
    background_oldest_ms: WALL_MS,
    background_newest_ms: WALL_MS,
    decoding: "software",
    counters: COUNTERS,
    capacity_bits_per_second: 40,
    sent_bits_per_second: 14_200,
    ...changes,
  };
}

export const COUNTERS: Camera["counters"] = {
  packets: 1,
  bytes_received: 912_000_000,
  frames_decoded: 1,
  frames_analysed: 1,
  frames_damaged: 0,
  connects: 3,
  covers_sent: 1,
  covers_dropped: 0,
  bytes_sent: 1,
  looks: 1,
  looks_with_hit: 0,
  promoted_blocks: 0,
  proofs_restarted: 0,
  looks_starved: 0,
  proofs_put_off: 0,
  pictures_put_off: 0,
  packets_dropped: 0,
  frames_left_out: 0,
  frames_hardware: 0,
  sub_stream: "none",
  candidate_blocks: 0,
  sharpness_milli: 400,
  saves_failed: 0,
  state_unsaved_seconds: 0,
};

export const SITE: Site = {
  name: "Harbour yard",
  timezone: "Europe/Berlin",
  version: "1.2.3",
  controller: "Facilities",
  retention_hours: 72,
  retention_reason: "",
};

export function showIn(
  language: Language,
  live: FakeLive,
  element: ReactElement,
  cameras: AppValues["cameras"] = [],
): RenderResult {
  document.documentElement.dir = directionOf(language);
  const values: AppValues = {
    t: translator(language),
    language,
    locale: localeOf(language),
    zone: "Europe/Berlin",
    site: SITE,
    cameras,
    live: live.scenes,
    renderer: new Renderer(),
    showKeys: () => undefined,
  };
  return render(<AppContext value={values}>{element}</AppContext>);
}
