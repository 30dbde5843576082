import { describe, expect, test } from "vitest";
import { Prefetch } from "../../src/app/prefetch";
import { never } from "../fake-recorder";

function open(path: string, search = "") {
  const asked: string[] = [];
  const ask = (what: string) => {
    asked.push(what);
    return never<never>();
  };
  const prefetch = new Prefetch(
    {
      fetchSite: () => ask("site"),
      fetchCameras: () => ask("cameras"),
      fetchTimeline: (camera, fromMs, toMs, bins) => ask(`${camera} ${fromMs} ${toMs} ${bins}`),
    },
    { path, search, widthPx: 900, nowMs: 10_000_000 },
  );
  return { prefetch, asked };
}

describe("a page that is being opened", () => {
  test("asks for the site and the cameras at once, and is shown without them if they take long", async () => {
    const { prefetch, asked } = open("/");
    expect(asked).toEqual(["cameras", "site"]);
    await prefetch.worthShowing;
    expect(prefetch.cameras.answer()).toBeNull();
  });

  test("asks for the timeline that its address names, once, and hands it to the first who opens that camera", () => {
    const { prefetch, asked } = open("/camera/gate", "?at=4000000&span=900000");
    // The window and one on either side, three pixels a bin.
    expect(asked).toEqual(["cameras", "site", "gate 2650000 5350000 900"]);
    const loader = prefetch.openTimeline("gate");
    loader.want({ fromMs: 3_550_000, spanMs: 900_000 }, 900, 10_000_000);
    expect(asked).toHaveLength(3);
    const second = prefetch.openTimeline("gate");
    expect(second).not.toBe(loader);
    second.want({ fromMs: 3_550_000, spanMs: 900_000 }, 900, 10_000_000);
    expect(asked).toHaveLength(4);
  });

  test("another camera's timeline is its own", () => {
    const { prefetch, asked } = open("/camera/gate");
    prefetch.openTimeline("yard").want({ fromMs: 0, spanMs: 900_000 }, 900, 10_000_000);
    expect(asked.at(-1)).toMatch(/^yard /);
  });
});
