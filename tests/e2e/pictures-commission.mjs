// Pictures of the page on which a camera is commissioned, for docs/pictures.

import { job, logIn, newPage, open, report, sleep } from "./page.mjs";

const browser = await open();
try {
  for (const [name, camera, options] of [
    ["commission", "gate", { viewport: { width: 1440, height: 1140 } }],
    ["commission-ar", "yard", { viewport: { width: 1440, height: 1140 }, locale: "ar" }],
    ["commission-telephone", "dock", { viewport: { width: 390, height: 844 } }],
  ]) {
    const page = await newPage(browser, options);
    await logIn(page, `/camera/${camera}/commission`);
    await page.locator(".commission > button").click();
    await page.locator(".commission-picture img").waitFor();
    await sleep(1500);
    await page.screenshot({ path: `${job.out}/${name}.png`, fullPage: true });
  }
} finally {
  await browser.close();
}
report({});
