// A guard's visit: logs in, looks at the wall, opens a camera, goes through its past by mouse and by keyboard.

import { fingerprint, job, logIn, newPage, open, pixels, report, sleep, step, until } from "./page.mjs";

const LEAST_LOOKS = 6;
const MOST_LOOKS = 18;
const LOOKING_MS = 30_000;

const seen = {};
const browser = await open();
try {
  const page = await newPage(browser);
  await logIn(page);

  // ---- the wall, live
  step("the wall");
  const tiles = page.locator(".tile");
  await until("all tiles", async () => (await tiles.count()) === job.cameras.length);
  await until("every tile to speak of its place", async () => {
    const tones = await tiles.evaluateAll((all) => all.map((tile) => tile.dataset.tone));
    return tones.every((tone) => tone === "guarded" || tone === "degraded");
  });
  const tile = page.locator(`.tile[data-camera=${job.camera}]`);
  // A slow machine gets fewer looks, not a longer visit.
  seen.wall = [];
  const lookedSince = Date.now();
  while (seen.wall.length < LEAST_LOOKS || (seen.wall.length < MOST_LOOKS && Date.now() - lookedSince < LOOKING_MS)) {
    step(`look ${seen.wall.length + 1}`);
    seen.wall.push(await pixels(tile.locator("canvas")));
    await sleep(700);
  }
  seen.labels = await tiles.allInnerTexts();
  await page.screenshot({ path: `${job.artefacts}/wall.png` });

  // ---- to the camera by keyboard: arrows choose a tile, Enter opens it
  step("the camera by keyboard");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  await page.waitForURL((address) => address.pathname.startsWith("/camera/"));
  seen.opened = new URL(page.url()).pathname;

  // ---- the past, at a moment that the address names
  step("the past");
  const picture = page.locator(".camera-picture canvas");
  const slider = page.locator("[role=slider]");
  // The moment is known exactly, and drawn with all that its background is made of.
  const settled = () =>
    until("the picture of that moment", async () => {
      const exact = await page.locator(".camera-picture").getAttribute("data-exact");
      return exact === "true" && (await picture.getAttribute("data-drawn")) === "true";
    });
  seen.moments = [];
  for (const atMs of job.moments) {
    await page.goto(`${job.url}/camera/${job.camera}?at=${atMs}&span=${job.spanMs}`);
    await settled();
    seen.moments.push({ atMs, ...(await pixels(picture)) });
  }
  await page.screenshot({ path: `${job.artefacts}/past.png` });

  // ---- scrubbing by mouse: the picture follows while the button is down
  step("scrubbing by mouse");
  const box = await slider.boundingBox();
  const y = box.y + box.height / 3;
  const now = async () => ({ at: Number(await slider.getAttribute("aria-valuenow")), picture: await fingerprint(picture) });
  seen.mouse = [];
  await page.mouse.move(box.x + box.width * 0.25, y);
  await page.mouse.down();
  for (let part = 0.25; part <= 0.76; part += 0.1) {
    await page.mouse.move(box.x + box.width * part, y, { steps: 4 });
    await settled();
    seen.mouse.push(await now());
  }
  await page.mouse.up();

  // ---- and by keyboard
  step("scrubbing by keyboard");
  seen.keyboard = [await now()];
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowLeft", "ArrowRight"]) {
    await page.keyboard.press(key);
    await settled();
    seen.keyboard.push({ key, ...(await now()) });
  }

  // ---- playing, and back to now
  step("playing");
  const before = await now();
  await page.keyboard.press(" ");
  await until("time to pass", async () => (await now()).at > before.at);
  await page.keyboard.press("l");
  await until("live", async () => (await page.locator(".camera-picture").getAttribute("data-seen")) === "live");
  seen.live = [];
  for (let look = 0; look < 8; look++) {
    seen.live.push(await fingerprint(picture));
    await sleep(400);
  }
  seen.caption = await page.locator(".camera-picture figcaption").innerText();
  await page.screenshot({ path: `${job.artefacts}/camera.png` });

  // ---- the system's page
  step("the system's page");
  await page.goto(`${job.url}/system`);
  const rows = page.locator(".table tbody tr");
  await until("a row for every camera", async () => (await rows.count()) === job.cameras.length);
  await until("what is stored", async () => !(await rows.last().innerText()).includes("–"));
  seen.system = await page.locator("main").innerText();
  await page.screenshot({ path: `${job.artefacts}/system.png` });

  // ---- Arabic, right to left; time still runs from left to right
  step("Arabic");
  const arabic = await newPage(browser, { locale: "ar" });
  await logIn(arabic, `/camera/${job.camera}?at=${job.moments[0]}&span=${job.spanMs}`);
  const right = arabic.locator("[role=slider]");
  await right.waitFor();
  seen.direction = await arabic.evaluate(() => document.documentElement.dir);
  const wide = await right.boundingBox();
  const at = async (part) => {
    await arabic.mouse.click(wide.x + wide.width * part, wide.y + wide.height / 3);
    await sleep(300);
    return Number(await right.getAttribute("aria-valuenow"));
  };
  seen.arabic = [await at(0.3), await at(0.6)];
  await arabic.screenshot({ path: `${job.artefacts}/camera-ar.png` });

  // ---- a telephone
  step("a telephone");
  const telephone = await newPage(browser, { viewport: { width: 360, height: 780 } });
  await logIn(telephone);
  await telephone.locator(".tile").first().waitFor();
  seen.overflow = await telephone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  await telephone.screenshot({ path: `${job.artefacts}/wall-360.png` });
} finally {
  await browser.close();
}
report(seen);
