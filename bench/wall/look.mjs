// Opens the wall as a guard does and measures it. What it saw is JSON on standard output; bench/wall/browser.py reads it.
//
// Standard error says how far it is: at "settled" and "measured" the caller reads memory and bytes, and it waits for that.

import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { job, newPage, report, sleep, step, until } from "../../tests/e2e/page.mjs";
import { mainThreadWork } from "./work.mjs";

const require = createRequire(fileURLToPath(new URL("../../web/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

const READ_MS = 2500;
/** A settled machine has nothing left to decode. */
const SETTLE_MS = 5000;

step("starting Chromium");
const browser = await chromium.launch({
  executablePath: job.chromium,
  headless: true,
  args: [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
  ],
});
const seen = {};
try {
  const page = await newPage(browser, { viewport: { width: job.width, height: job.height } });
  await page.context().addCookies([{ name: job.cookie[0], value: job.cookie[1], url: job.url }]);
  if (job.look === "year") await year(page);
  else await wall(page);
} finally {
  await browser.close();
}
report(seen);

async function wall(page) {
  step("opening");
  // In the page, so that looking does not disturb: every tile that is in view shows all that is known of its place.
  await page.addInitScript((count) => {
    const painted = new Set();
    const look = () => {
      const tiles = [...document.querySelectorAll(".tile")];
      const inView = tiles.filter((tile) => {
        const box = tile.getBoundingClientRect();
        return box.bottom > 0 && box.top < innerHeight && box.width > 0;
      });
      for (const tile of inView) {
        const says = ["guarded", "busy", "degraded"].includes(tile.dataset.tone);
        if (says && tile.querySelector("canvas")?.dataset.drawn === "true") painted.add(tile.dataset.camera);
      }
      if (tiles.length === count && inView.length > 0 && inView.every((tile) => painted.has(tile.dataset.camera))) {
        window.paintedMs = performance.now();
        window.tilesInView = inView.length;
      } else setTimeout(look, 50);
    };
    setTimeout(look, 50);
  }, job.cameras);
  await page.goto(job.url + "/", { waitUntil: "commit" });
  seen.paintedMs = await until("every tile to be painted", () => page.evaluate(() => window.paintedMs ?? null), 90_000);
  seen.inView = await page.evaluate(() => window.tilesInView);
  step("painted");
  await sleep(SETTLE_MS);
  await page.screenshot({ path: `${job.artefacts}/wall.png` });
  step("settled");
  await sleep(READ_MS);
  await page.evaluate(() => {
    const frames = (window.frames_ = []);
    const note = (atMs) => {
      performance.mark("frame");
      performance.clearMarks("frame");
      frames.push([atMs, performance.now()]);
      window.frame_ = requestAnimationFrame(note);
    };
    window.frame_ = requestAnimationFrame(note);
  });
  await browser.startTracing(page, { categories: ["-*", "toplevel", "blink.user_timing", "__metadata"] });
  step("measuring");
  await sleep(job.seconds * 1000);
  const trace = await browser.stopTracing();
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(window.frame_);
    return window.frames_;
  });
  step("measured");
  await sleep(READ_MS);
  const gaps = (which) => frames.slice(1).map((frame, index) => frame[which] - frames[index][which]);
  seen.frameMs = gaps(0);
  seen.calledMs = gaps(1);
  seen.workMs = mainThreadWork(trace);
  await page.screenshot({ path: `${job.artefacts}/wall-after.png` });
}

async function year(page) {
  step("opening a year");
  // In the page, so that looking does not disturb: the frame in which the strip was drawn with the year in it is over.
  await page.addInitScript(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => (window.shownMs ??= performance.now());
    const drawn = new MutationObserver(() => {
      if (document.querySelector(".timeline canvas")?.dataset.drawn !== "true") return;
      drawn.disconnect();
      requestAnimationFrame(() => port2.postMessage(null)); // after the frame, not in it
    });
    drawn.observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-drawn"] });
  });
  const answered = page.waitForResponse((response) => response.url().includes("/timeline"));
  await page.goto(`${job.url}/camera/${job.camera}?span=${job.spanMs}`, { waitUntil: "commit" });
  const response = await answered;
  await response.finished();
  seen.shownMs = await until("the strip to be drawn", () => page.evaluate(() => window.shownMs ?? null), 30_000);
  seen.answerMs = response.request().timing().responseEnd;
  seen.answerBytes = (await response.body()).length;
  await page.screenshot({ path: `${job.artefacts}/year.png` });
}
