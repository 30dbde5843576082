// Commissioning as a person does it: look, tick, sign; with the keyboard, in English and in Arabic on a telephone.

import { job, logIn, newPage, open, report, sleep, until } from "./page.mjs";

const seen = {};
const browser = await open();
try {
  for (const [name, options] of [
    ["desk", {}],
    ["phone-ar", { viewport: { width: 390, height: 844 }, locale: "ar" }],
  ]) {
    const page = await newPage(browser, options);
    await logIn(page, "/camera/gate");
    await page.locator('a[href="/camera/gate/commission"]').click();
    await page.locator(".commission > button").click();
    await page.locator(".commission-picture img").waitFor();
    await sleep(1500);
    const acts = page.locator(".commission-acts button");
    seen[name] = { before: await acts.nth(1).isDisabled(), caption: await page.locator("figcaption").innerText() };
    await page.locator(".commission-looked input").focus();
    await page.keyboard.press("Space");
    await acts.nth(1).focus();
    await page.keyboard.press("Enter");
    await until("said", async () => (await page.locator(".commission-said").innerText()) !== "");
    seen[name].said = await page.locator(".commission-said").innerText();
    seen[name].overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    await page.goto(`${job.url}/system`);
    await sleep(800);
    seen[name].system = await page.locator(".system a[href$=commission]").count();
  }
} finally {
  await browser.close();
}
report(seen);
