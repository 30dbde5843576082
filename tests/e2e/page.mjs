// What the browser scripts share: Debian's Chromium, a login, the pixels of a canvas.
//
// Not here: what is expected of a page. The scripts report what they saw as JSON; tests/e2e/*.py judges it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const require = createRequire(fileURLToPath(new URL("../../web/package.json", import.meta.url)));
const { chromium } = require("playwright-core");

/** The job that the caller wrote to standard input: it holds a token, so it is neither an argument nor in the environment. */
export const job = JSON.parse(readFileSync(0, "utf8"));

export const problems = [];

const begun = Date.now();

/** Says on standard error what comes next; the caller shows it when the script fails. */
export function step(what) {
  process.stderr.write(`${((Date.now() - begun) / 1000).toFixed(1)} s: ${what}\n`);
}

export async function open() {
  step("starting Chromium");
  return chromium.launch({
    executablePath: job.chromium,
    args: [
      "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
      "--disable-sync", "--disable-dev-shm-usage",
      // WebGL by the processor, as on any machine without a graphics card. Not all of the page: then each look at a canvas takes a second.
      "--enable-unsafe-swiftshader",
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ],
  });
}

/** A page of its own session that notes whatever goes wrong in it. */
export async function newPage(browser, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.text().startsWith("Canvas2D: Multiple readback")) return; // what reads the pixels back is `fingerprint`
    // Without a graphics card what WebGL drew is read back to get onto the page, and Chromium says each time that this takes a while.
    if (message.text().includes("GL Driver Message (OpenGL, Performance")) return;
    if (message.type() === "error" || message.type() === "warning") problems.push(`console ${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => problems.push(`page error: ${error.stack ?? error}`));
  page.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    if (why !== "net::ERR_ABORTED") problems.push(`request failed: ${request.method()} ${request.url()}: ${why}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 400) problems.push(`status ${response.status()}: ${response.request().method()} ${response.url()}`);
    const address = new URL(response.url());
    if (["http:", "https:"].includes(address.protocol) && address.origin !== job.url) problems.push(`left the site: ${address.origin}`);
  });
  return page;
}

/** Goes to a path without a session, is sent to the login page, logs in as a person does, and goes on to that path. */
export async function logIn(page, path = "/") {
  await page.goto(job.url + path);
  await page.waitForURL((address) => address.pathname === "/login");
  await page.locator("input[name=token]").fill(job.token);
  await page.keyboard.press("Enter");
  await page.waitForURL((address) => address.pathname !== "/login");
  if (page.url() !== job.url + path) await page.goto(job.url + path);
}

/** What a canvas shows, as a PNG's bytes in base64, with its size. */
export async function pixels(canvas) {
  return canvas.evaluate((element) => ({
    width: element.width,
    height: element.height,
    png: element.toDataURL("image/png").replace("data:image/png;base64,", ""),
  }));
}

/** A short name for what a canvas shows. */
export async function fingerprint(canvas) {
  return canvas.evaluate(async (element) => {
    const bytes = element.getContext("2d").getImageData(0, 0, element.width, element.height).data;
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return Array.from(hash.slice(0, 8), (byte) => byte.toString(16).padStart(2, "0")).join("");
  });
}

export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/** Calls `see` until it gives something other than null or undefined. */
export async function until(what, see, withinMs = 30_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    const seen = await see();
    if (seen !== null && seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`waited ${withinMs} ms for ${what}`);
    await sleep(100);
  }
}

export function report(seen) {
  process.stdout.write(JSON.stringify({ ...seen, problems }));
}
