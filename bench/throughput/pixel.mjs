// Looks at a camera's page in every animation frame and notes when which spot of the picture becomes covered, and when it ceases to be.
// JSON on standard output; bench/throughput/latency.py reads it and knows when what was sent.

import { job, logIn, newPage, open, report, sleep, step, until } from "../../tests/e2e/page.mjs";

const browser = await open();
let seen = {};
try {
  const page = await newPage(browser, { viewport: { width: 1280, height: 800 } });
  await logIn(page, `/camera/${job.camera}`);
  await until("a picture", () => page.locator(".camera-picture canvas[data-drawn=true]").count(), 60_000);
  await sleep(2000);
  step("looking");
  seen = await page.evaluate(async ({ spots, colours, forMs }) => {
    const near = (pixel) => colours.some((colour) => colour.every((level, channel) => Math.abs(level - pixel[channel]) <= 4));
    const covered = spots.map(() => false);
    const changes = [];
    const begun = performance.now();
    let frames = 0;
    await new Promise((done) => {
      const look = () => {
        frames++;
        const canvas = document.querySelector(".camera-picture canvas");
        // The picture that is on the canvas now was drawn before this: the time is when it was seen, at most a frame later.
        const atMs = performance.timeOrigin + performance.now();
        const target = canvas.getContext("2d");
        for (const [number, [x, y]] of spots.entries()) {
          const pixel = target.getImageData(Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data;
          if (near(pixel) === covered[number]) continue;
          covered[number] = !covered[number];
          changes.push({ atMs, spot: number, covered: covered[number] });
        }
        if (performance.now() - begun < forMs) requestAnimationFrame(look);
        else done();
      };
      requestAnimationFrame(look);
    });
    return { changes, frames, fromMs: performance.timeOrigin + begun, toMs: performance.timeOrigin + performance.now() };
  }, { spots: job.spots, colours: job.colours, forMs: job.forMs });
  if (job.picture) await page.screenshot({ path: job.picture });
} finally {
  await browser.close();
}
report(seen);
