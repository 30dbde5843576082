// Pictures of every page, for docs/pictures and the README.

import { job, logIn, newPage, open, report, sleep, step, until } from "./page.mjs";

const browser = await open();
const shot = (page, name) => page.screenshot({ path: `${job.out}/${name}.png` });
const drawn = (page) => until("a picture", async () => (await page.locator("canvas").count()) > 0).then(() => sleep(2500));
try {
  for (const [locale, suffix] of [["en-GB", ""], ["ar", "-ar"]]) {
    step(locale);
    const page = await newPage(browser, { locale });
    await page.goto(`${job.url}/login`);
    await shot(page, `login${suffix}`);
    await logIn(page);
    await drawn(page);
    await shot(page, `wall${suffix}`);
    await page.goto(`${job.url}/camera/gate`);
    await drawn(page);
    await shot(page, `camera${suffix}`);
    await page.goto(`${job.url}/camera/gate?at=${job.atMs}&span=120000`);
    await drawn(page);
    await shot(page, `past${suffix}`);
    await page.goto(`${job.url}/camera/gate?at=${job.atMs}&span=3600000`);
    await drawn(page);
    await shot(page, `hour${suffix}`);
    await page.goto(`${job.url}/system`);
    await until("what is stored", async () => (await page.locator(".table tbody tr").count()) > 0);
    await sleep(1500);
    await shot(page, `system${suffix}`);
  }
  step("telephone");
  const telephone = await newPage(browser, { viewport: { width: 390, height: 844 } });
  await logIn(telephone);
  await drawn(telephone);
  await shot(telephone, "wall-telephone");
  await telephone.goto(`${job.url}/camera/gate?at=${job.atMs}&span=120000`);
  await drawn(telephone);
  await shot(telephone, "camera-telephone");
  await telephone.goto(`${job.url}/system`);
  await until("what is stored", async () => (await telephone.locator(".table tbody tr").count()) > 0);
  await shot(telephone, "system-telephone");
} finally {
  await browser.close();
}
report({});
