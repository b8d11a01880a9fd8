/**
 * The page's player on films that are still being made, in a real browser; no Reelpin is needed:
 *
 *   node tests/browser/growing.mjs [NAME...]
 *
 * Each case is a film that grows at its own speed, served by tests/support. REELPIN_CHROMIUM (default /usr/bin/chromium),
 * REELPIN_SHOTS (a folder for pictures). The exit code is 1 when a case does not hold.
 */

import assert from "node:assert/strict";
import fs from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { chromium } from "playwright-core";
import { film } from "../support/film.mjs";
import { Growing } from "../support/growing.mjs";
import { pictures } from "./growing-shots.mjs";
import { holds, jumps, sample, stalls } from "./samples.mjs";

const { REELPIN_CHROMIUM = "/usr/bin/chromium", REELPIN_SHOTS } = process.env;
const ARGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" ");
const SECONDS = 30;
const RUNGS = [
  { name: "240p", width: 426, height: 240, rate: 300_000 },
  { name: "360p", width: 640, height: 360, rate: 600_000 },
  { name: "480p", width: 854, height: 480, rate: 900_000 },
];
const FAILED = { code: "internal", detail: "frame 400 cannot be read", suggestion: "Export the video again." };
/** Films that are watched side by side: most of their time is waiting. */
const AT_ONCE = Number(process.env.REELPIN_AT_ONCE ?? 3);
/** No film of these takes longer from playable to its end, milliseconds. */
const LIMIT_MS = 120_000;

const CASES = {
  async "five times as fast as it plays, begun at once"() {
    const { seen } = await watched({ speed: 5, rungs: { "240p": 0, "360p": 3, "480p": 5 }, press: 0.2 });
    assert.equal(holds(seen).length, 0, "it was held back");
    whole(seen);
  },
  async "one and a half times as fast"() {
    const { seen } = await watched({ speed: 1.5, rungs: { "240p": 0, "360p": 8, "480p": 14 }, press: 4 });
    whole(seen);
  },
  async "rungs that join when the lowest has ended"() {
    const { seen } = await watched({ speed: 4, rungs: { "240p": 0, "360p": 13, "480p": 15 }, completes: 18, press: 0.5 });
    assert.equal(holds(seen).length, 0, "it was held back");
    whole(seen);
  },
  async "as fast as it plays"() {
    const { seen } = await watched({ speed: 1, rungs: { "240p": 0, "360p": 10, "480p": 20 }, press: 4 });
    assert.equal(holds(seen).length, 1, "it was not held back");
    whole(seen);
  },
  async "slower than it plays: it says so, and for how long"() {
    const { seen } = await watched({ speed: 0.7, rungs: { "240p": 0, "360p": 20, "480p": 30 }, press: 8 });
    whole(seen);
    const words = holds(seen).flatMap(({ words }) => words);
    assert.ok(words.some((text) => /Ready to watch without a pause in about \d+ s/.test(text)), words.join("\n"));
    assert.ok(words.some((text) => /takes 1\.\d times as long/.test(text)), words.join("\n"));
  },
  async "who comes later to a slow one is told at once"() {
    const { seen } = await watched({ speed: 0.7, rungs: { "240p": 0, "360p": 20, "480p": 30 }, joins: 14, press: 14 });
    assert.equal(holds(seen).length, 1, "it was not held back");
    whole(seen);
  },
  async "begun before anything was known: one pause, with words, and then to the end"() {
    const { seen } = await watched({ speed: 1, rungs: { "240p": 0, "360p": 12 }, press: 0.2 });
    assert.ok(seen[0].t < 0.5 && holds(seen).length === 1, `${holds(seen).length} pauses`);
    const after = seen.slice(seen.lastIndexOf(seen.findLast(({ kind }) => kind === "wait")) + 1);
    assert.deepEqual(stalls(after), [], "it stopped again");
    assert.deepEqual(jumps(seen), []);
  },
  async "watched anyway: pauses, but no jumps, and to the end"() {
    const { seen } = await watched({ speed: 1, rungs: { "240p": 0 }, press: 3, then: (page) => page.getByRole("button", { name: "Watch now anyway" }).click() });
    assert.deepEqual(jumps(seen), []);
    assert.ok(seen.at(-1).t > SECONDS - 0.2);
  },
  async "a pause, seeks, volume and rate outlive a rung that comes"() {
    await open({ speed: 2, rungs: { "240p": 0, "360p": 9 } }, async (page, growing) => {
      await until(() => growing.now > 6);
      await page.locator(".start").click();
      await page.waitForFunction(() => document.querySelector("video").currentTime > 1);
      await page.locator("video").evaluate((video) => Object.assign(video, { volume: 0.4, playbackRate: 1.25 }));
      await page.keyboard.press("End").catch(() => {});
      // Far beyond what exists: as near as there is something to see.
      await page.getByRole("slider", { name: "Position" }).press("End");
      await page.waitForFunction(() => !document.querySelector("video").seeking);
      const { t, end } = await page.locator("video").evaluate((video) => ({ t: video.currentTime, end: video.seekable.end(0) }));
      assert.ok(t <= end && t < SECONDS - 5, `${t} of ${end}`);
      await page.getByRole("slider", { name: "Position" }).press("Home");
      await page.waitForFunction(() => document.querySelector("video").currentTime < 2);
      await page.getByRole("slider", { name: "Position" }).press("ArrowRight");
      await page.getByRole("slider", { name: "Position" }).press("k");
      await page.waitForFunction(() => document.querySelector("video").paused);
      const paused = await page.locator("video").evaluate((video) => video.currentTime);
      await page.waitForFunction(() => document.querySelector("select.quality").options.length === 3, null, { timeout: 20_000 });
      const { at, volume, rate, still } = await page.locator("video").evaluate((video) => ({ at: video.currentTime, volume: video.volume, rate: video.playbackRate, still: video.paused }));
      assert.deepEqual({ at, volume, rate, still }, { at: paused, volume: 0.4, rate: 1.25, still: true });
      await page.getByRole("button", { name: "Play" }).click();
      await page.waitForFunction(() => document.querySelector("video").videoHeight === 360 || document.querySelector("video").ended, null, { timeout: 30_000 });
      assert.equal(await page.locator("video").evaluate((video) => video.playbackRate), 1.25);
    });
  },
  async "it fails on the way: what there is plays to its end, and the page says why no more comes"() {
    const { seen, page } = await watched({ speed: 1.5, rungs: { "240p": 0 }, press: 6, breaks: { at: 14, status: "failed", error: FAILED } });
    assert.deepEqual(jumps(seen), []);
    assert.ok(seen.at(-1).t > 10 && seen.at(-1).t < 22, `it ended at ${seen.at(-1).t}`);
    assert.match(page.veil, /could not be prepared\. Frame 400 cannot be read/);
  },
  async "it fails and is retried: who waits on the page sees all of it"() {
    const { seen } = await watched({ speed: 1.5, rungs: { "240p": 0 }, press: 18, breaks: { at: 5, until: 14, status: "failed", error: FAILED } });
    assert.deepEqual(jumps(seen), []);
    assert.ok(seen.at(-1).t > SECONDS - 0.2, `it ended at ${seen.at(-1).t}`);
  },
  async "a film that is whole is played with the same controls"() {
    const { seen } = await watched({ speed: 1000, rungs: { "240p": 0, "360p": 0, "480p": 0 }, press: 2 });
    assert.equal(holds(seen).length, 0);
    whole(seen, false);
  },
};

/** From 0 to the end without a stop or a jump once it had begun, and up to the highest rung. */
function whole(seen, grows = true) {
  const begun = seen.findIndex(({ t, kind }) => t > 0.25 && kind !== "wait");
  assert.ok(seen[0].t < 0.5 && begun > 0, "it did not begin at 0");
  assert.deepEqual(stalls(seen.slice(begun)), [], "it stopped");
  assert.deepEqual(jumps(seen), [], "it jumped");
  const end = seen.at(-1);
  assert.ok(end.ended && Math.abs(end.t - SECONDS) < 0.2, `it ended at ${end.t}`);
  assert.equal(end.height, 480, "it did not move up");
  if (grows) assert.ok(seen.some(({ height }) => height === 240), "it did not begin with the lowest rung");
}

/** Opens a film of its own and calls `work(page, growing)`; no error of the page and no breach of its policy may happen. */
async function open({ joins = null, press, then, ...options }, work) {
  const growing = await Growing.start(made, { poster, ...options });
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const faults = [];
  try {
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => message.type() === "error" && /policy|violat/i.test(message.text()) && faults.push(message.text()));
    if (joins !== null) growing.begin();
    await until(() => joins === null || growing.now >= joins);
    await page.goto(growing.page);
    await page.locator("article.video").waitFor();
    if (joins === null) growing.begin();
    await page.locator(".start").waitFor();
    await work(page, growing);
    assert.deepEqual(faults, []);
  } finally {
    await context.close();
    await growing.stop();
  }
}

/** Presses play `press` seconds after playable and watches to the end. */
async function watched({ press, then = async () => {}, ...options }) {
  let result;
  await open(options, async (page, growing) => {
    await until(() => growing.now >= press);
    await sample(page);
    await page.locator(".start").click();
    await then(page);
    await page.waitForFunction(() => document.querySelector("video").ended, null, { timeout: LIMIT_MS, polling: 100 }).catch(() => {});
    await page.waitForTimeout(300);
    const seen = await page.evaluate(() => window.reelpinSamples);
    result = { seen, page: { veil: await page.locator("rp-veil").innerText() } };
    assert.ok(seen.at(-1).ended, `it did not end: ${JSON.stringify(seen.at(-1))}`);
  });
  return result;
}

async function check(words, work) {
  const began = performance.now();
  try {
    await work();
    console.log(`ok - ${words} (${((performance.now() - began) / 1000).toFixed(0)} s)`);
  } catch (error) {
    console.error(`not ok - ${words}\n${error.message}`);
    process.exitCode = 1;
  }
}

async function until(done) {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 50));
}

const folder = await fs.mkdtemp(path.join(os.tmpdir(), "reelpin-growing-"));
const made = await film(folder, { seconds: SECONDS, rungs: RUNGS });
const poster = await fs.readFile(path.join(folder, "poster.jpg"));
const browser = await chromium.launch({ executablePath: REELPIN_CHROMIUM, args: ARGS });
const wanted = process.argv.slice(2);
try {
  const cases = Object.entries(CASES).filter(([words]) => wanted.length === 0 || wanted.some((part) => words.includes(part)));
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let next; (next = cases.shift()); ) await check(...next);
  }));
  if (REELPIN_SHOTS) await check("pictures are taken", () => pictures(browser, { made, poster, failed: FAILED, folder: REELPIN_SHOTS }));
} finally {
  await browser.close();
  await fs.rm(folder, { recursive: true, force: true });
}
