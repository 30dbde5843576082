/** Both painters against the Python reference's pictures, pixel by pixel, in a real browser. */

import type { Browser, Page } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCases, readVector, vectorFiles } from "../test/vectors";
import { launchBrowser } from "./browser";
import type { Method, Pixels } from "./reference";

interface DrawCase {
  readonly name: string;
  readonly width_px: number;
  readonly height_px: number;
  readonly messages: readonly string[];
  readonly picture: string;
}

interface BadCase {
  readonly name: string;
  readonly messages: readonly string[];
}

const TOLERANCE_LEVELS = 3;
const UNPROVEN = [58, 52, 40];

let server: ViteDevServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  server = await createServer({
    root: new URL("..", import.meta.url).pathname,
    configFile: false,
    logLevel: "error",
    server: { host: "127.0.0.1", port: 0 },
  });
  await server.listen();
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`${server.resolvedUrls?.local[0] ?? ""}e2e/reference.html`);
  await page.waitForFunction(() => "privetDraw" in window);
}, 60_000);

afterAll(async () => {
  await browser.close();
  await server.close();
});

function draw(messages: readonly string[], method: Method): Promise<Pixels> {
  return page.evaluate(([m, how]) => window.privetDraw(m, how), [messages, method] as const);
}

function bytesOf(pixels: Pixels): Uint8Array {
  return Buffer.from(pixels.rgba, "base64");
}

/** The largest difference of a channel, and where. */
function worst(a: Pixels, b: Pixels): { levels: number; at: string } {
  expect({ width: a.width, height: a.height }).toEqual({ width: b.width, height: b.height });
  const [left, right] = [bytesOf(a), bytesOf(b)];
  let found = { levels: 0, at: "" };
  for (let index = 0; index < left.length; index++) {
    const levels = Math.abs((left[index] ?? 0) - (right[index] ?? 0));
    const pixel = index >> 2;
    if (levels > found.levels)
      found = { levels, at: `x ${pixel % a.width}, y ${Math.floor(pixel / a.width)}, channel ${index & 3}` };
  }
  return found;
}

describe.each(["webgl", "canvas"] as const)("%s", (method) => {
  const cases = loadCases<DrawCase>("render/cases.json");

  test("every expected picture belongs to a case", () => {
    const named = new Set(cases.map((each) => each.picture));
    expect(vectorFiles("render", ".png").filter((name) => !named.has(name))).toEqual([]);
  });

  test.each(cases.map((each) => [each.name, each] as const))("%s", async (_, each) => {
    const image = Buffer.from(readVector(`render/${each.picture}`)).toString("base64");
    const expected = await page.evaluate((data) => window.privetPicture(data), image);
    const drawn = await draw(each.messages, method);
    expect({ width: drawn.width, height: drawn.height }).toEqual({ width: each.width_px, height: each.height_px });
    const difference = worst(drawn, expected);
    expect(difference.levels, difference.at).toBeLessThanOrEqual(TOLERANCE_LEVELS);
  });

  test.each(loadCases<BadCase>("render/bad.json").map((each) => [each.name, each] as const))(
    "an image that breaks the rules is drawn as unproven: %s",
    async (_, each) => {
      const drawn = bytesOf(await draw(each.messages, method));
      const unproven = (pixel: number): boolean => UNPROVEN.every((level, channel) => drawn[4 * pixel + channel] === level);
      // A bad background leaves nothing; of a bad patch the first block, which only it would have proven.
      const pixels = each.name.startsWith("patch") ? [0] : Array.from({ length: drawn.length / 4 }, (__, pixel) => pixel);
      expect(pixels.every(unproven)).toBe(true);
    },
  );
});
