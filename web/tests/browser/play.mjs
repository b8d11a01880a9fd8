/**
 * A person's way through the page, in a real browser, against a running Reelpin:
 *
 *   REELPIN_URL=http://127.0.0.1:8080/ node tests/browser/play.mjs film.mp4
 *
 * REELPIN_CHROMIUM (default /usr/bin/chromium), REELPIN_API_KEY (where the server has one), REELPIN_WAIT (seconds that
 * the transcode may take, default 600), REELPIN_SHOTS (a folder for pictures of list and player). Each check has a
 * sentence; the first that does not hold ends the run with exit code 1.
 */

import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { chromium } from "playwright-core";
import { shots } from "./shots.mjs";

const { REELPIN_URL, REELPIN_CHROMIUM = "/usr/bin/chromium", REELPIN_API_KEY, REELPIN_WAIT = "600", REELPIN_SHOTS } = process.env;
const film = process.argv[2];
const ARGS = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync".split(" ");
const TITLE = `Checked in a browser, ${new Date().toISOString()}`;

if (!REELPIN_URL || !film || !fs.existsSync(film)) {
  console.error("usage: REELPIN_URL=http://127.0.0.1:8080/ node tests/browser/play.mjs film.mp4");
  process.exit(2);
}

const origin = new URL(REELPIN_URL).origin;
/** What must not happen: errors of the page, violations of its policy. */
const faults = [];
/** What came over the feed. */
const messages = [];
let sentence = "the browser starts";

async function check(words, work) {
  sentence = words;
  const began = performance.now();
  await work();
  console.log(`ok - ${words} (${((performance.now() - began) / 1000).toFixed(1)} s)`);
}

const browser = await chromium.launch({ executablePath: REELPIN_CHROMIUM, args: ARGS });
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, permissions: ["clipboard-read", "clipboard-write"] });
  const page = await context.newPage();
  await walk(page).catch(async (error) => {
    if (REELPIN_SHOTS) await page.screenshot({ path: path.join(REELPIN_SHOTS, "failed.png") }).catch(() => {});
    throw error;
  });
  console.log("ok - all");
} catch (error) {
  console.error(`not ok - ${sentence}\n${error.message}`);
  for (const fault of faults) console.error(`  ${fault}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}

async function walk(page) {
  listen(page);
  const article = page.locator("article.video");
  const state = () => article.getAttribute("data-state");
  let id;

  await check("the page opens and is called Reelpin", async () => {
    await page.addInitScript(() => document.addEventListener("securitypolicyviolation", (event) => console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`)));
    await page.goto(`${origin}/`);
    await page.waitForFunction(() => document.title === "Reelpin");
    if (REELPIN_API_KEY) {
      await page.getByLabel("Key", { exact: true }).fill(REELPIN_API_KEY);
      await page.getByRole("button", { name: "Continue" }).click();
    }
    await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor({ state: "attached" });
    await page.waitForFunction(() => !document.querySelector(".placeholder"));
  });

  await check("the upload button is reached by Tab, Enter opens the picker, and a file that is no video is refused in words", async () => {
    const chooser = await pickByKeyboard(page);
    await chooser.setFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no film") });
    await page.getByRole("alert").filter({ hasText: "is not a video" }).waitFor({ timeout: 5000 });
    await page.getByRole("button", { name: "Dismiss" }).click();
  });

  await check("a video chosen by keyboard is uploaded, and its card shows that it has arrived", async () => {
    const before = await page.locator("article.card").evaluateAll((cards) => cards.map((card) => card.dataset.video));
    const chooser = await pickByKeyboard(page);
    await chooser.setFiles(film);
    // In the tray under its file's name; once it is done the tray is folded, so it need not be visible.
    const upload = page.locator(`article.upload[aria-label=${JSON.stringify(path.basename(film))}]`);
    await upload.and(page.locator("[data-state=done], [data-state=failed]")).waitFor({ state: "attached", timeout: 300_000 });
    assert.equal(await upload.getAttribute("data-state"), "done", await upload.locator(".upload-line").textContent());
    const card = page.locator("article.card").first();
    id = await card.getAttribute("data-video");
    assert.ok(!before.includes(id), "the new video is not on top of the list");
    await page.waitForFunction((video) => document.querySelector(`article.card[data-video="${video}"]`)?.dataset.state !== "pending", id, { timeout: 30_000 });
  });

  await check("Enter on the card opens the video's own address", async () => {
    await page.locator(`article.card[data-video="${id}"] a`).focus();
    await page.keyboard.press("Enter");
    await article.waitFor({ timeout: 10_000 });
    assert.equal(new URL(page.url()).hash, `#/video/${id}`);
    assert.equal(await article.getAttribute("data-video"), id);
  });

  await check("the page says that the video can be watched", async () => {
    await article.and(page.locator("[data-state=playable], [data-state=completed], [data-state=failed], [data-state=cancelled]")).waitFor({ timeout: Number(REELPIN_WAIT) * 1000 });
    assert.ok(["playable", "completed"].includes(await state()), await page.locator("rp-status").innerText());
  });

  await check("it plays, muted, from the start to the end", () => plays(page));

  await check("the page says that all sizes are ready", async () => {
    await article.and(page.locator("[data-state=completed], [data-state=failed]")).waitFor({ timeout: Number(REELPIN_WAIT) * 1000 });
    assert.equal(await state(), "completed", await page.locator("rp-status").innerText());
  });

  await check("the steps were shown in order, and came over the feed", async () => {
    await page.locator("[data-event=completed]").waitFor({ timeout: 10_000 });
    const names = await page.locator("rp-steps [data-event]").evaluateAll((items) => items.map((item) => item.dataset.event));
    for (const name of ["uploaded", "probed", "planned", "playable", "rung_completed", "completed"]) assert.ok(names.includes(name), `no step ${name} among ${names}`);
    const order = ["uploaded", "probed", "planned", "playable", "completed"].map((name) => names.indexOf(name));
    assert.deepEqual(order, [...order].sort((a, b) => a - b), `the order is ${names}`);
    const numbers = await page.locator("rp-steps [data-seq]").evaluateAll((items) => items.map((item) => Number(item.dataset.seq)));
    assert.deepEqual(numbers, numbers.map((_, n) => n + 1), "the numbers have a gap");
    assert.ok(messages.some((message) => message.type === "event" && message.video_id === id), "no event came over the WebSocket");
    assert.ok(messages.some((message) => message.type === "progress" && message.video_id === id), "no progress came over the WebSocket");
  });

  await check("each size has a row, a content id that can be copied, and an MP4 that can be downloaded", async () => {
    const rows = page.locator("rp-renditions tbody tr");
    assert.ok((await rows.count()) >= 2, `${await rows.count()} rows`);
    const mp4 = page.locator("rp-renditions tr[data-format=mp4]").first();
    const cid = await mp4.locator("code").getAttribute("title");
    await mp4.getByRole("button", { name: /^Copy/ }).click();
    await page.waitForFunction((text) => navigator.clipboard.readText().then((copied) => copied === text), cid, { timeout: 5000 });
    const href = await mp4.getByRole("link", { name: /Download/ }).getAttribute("href");
    const answer = await page.request.get(new URL(href, origin).href, { headers: { range: "bytes=0-99" } });
    assert.equal(answer.status(), 206, href);
    assert.match(answer.headers()["content-disposition"] ?? "", /^attachment/);
  });

  if (REELPIN_SHOTS) await check("pictures are taken", () => shots(browser, { origin, id, key: REELPIN_API_KEY, folder: REELPIN_SHOTS }));

  await check("the address alone shows the video again, and Back leads to the list", async () => {
    await page.goto(`${origin}/`);
    await page.goto(`${origin}/#/video/${id}`);
    await page.reload();
    await article.waitFor({ timeout: 10_000 });
    await page.goBack();
    await page.locator(`article.card[data-video="${id}"]`).waitFor({ timeout: 10_000 });
    const poster = page.locator(`article.card[data-video="${id}"] .thumb img`);
    await poster.waitFor({ timeout: 10_000 });
    await page.waitForFunction((image) => image.naturalWidth > 0, await poster.elementHandle(), { timeout: 10_000 });
    await page.goForward();
    await article.waitFor({ timeout: 10_000 });
  });

  await check("it can be renamed by keyboard, and the list shows the new title", async () => {
    await page.getByRole("button", { name: "Edit" }).press("Enter");
    const title = page.getByRole("dialog").getByLabel("Title");
    await title.fill(TITLE);
    await title.press("Enter");
    await page.getByRole("heading", { name: TITLE, level: 1 }).waitFor({ timeout: 10_000 });
    await page.getByRole("link", { name: "All videos" }).press("Enter");
    await page.getByRole("link", { name: TITLE }).click();
    await article.waitFor({ timeout: 10_000 });
  });

  await check("Escape in the delete dialog deletes nothing, Delete does, and the list has it no more", async () => {
    await page.getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    assert.equal(await article.isVisible(), true);
    await page.getByRole("button", { name: "Delete" }).press("Enter");
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).press("Enter");
    await page.waitForFunction(() => location.hash === "#/", null, { timeout: 10_000 });
    await page.locator(`article.card[data-video="${id}"]`).waitFor({ state: "detached", timeout: 10_000 });
    const answer = await page.request.get(`${origin}/video/${id}`);
    assert.ok([404, 410].includes(answer.status()), `the server answers ${answer.status()}`);
  });

  await check("no error happened in the page, and its Content-Security-Policy was never violated", async () => assert.deepEqual(faults, []));
}

function listen(page) {
  // Choosers are caught from the start: the browser is told of each first listener, and a key pressed
  // before it has heard of it would open a dialog that nobody sees.
  page.on("filechooser", () => {});
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("console", (message) => {
    const text = message.text();
    if (message.type() === "error" && /policy/i.test(text)) faults.push(text);
  });
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => messages.push(JSON.parse(payload))));
}

/** As a person without a mouse: Tab from the top until the upload button has the focus, then Enter. */
async function pickByKeyboard(page) {
  await page.evaluate(() => document.activeElement?.blur());
  for (let presses = 0; presses < 12; presses += 1) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => document.activeElement?.textContent?.trim());
    if (focused !== "Upload") continue;
    const outlined = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle !== "none");
    assert.ok(outlined, "the focus cannot be seen");
    const [chooser] = await Promise.all([page.waitForEvent("filechooser", { timeout: 30_000 }), page.keyboard.press("Enter")]);
    return chooser;
  }
  throw new Error("Tab does not lead to the upload button");
}

async function plays(page) {
  const video = page.locator("rp-player video");
  await video.waitFor({ timeout: 10_000 });
  const length = await video.evaluate(async (element) => {
    const seen = { ended: false, back: 0, positions: new Set(), last: 0 };
    window.reelpinSeen = seen;
    element.addEventListener("ended", () => (seen.ended = true));
    element.addEventListener("timeupdate", () => {
      if (element.currentTime < seen.last - 0.1) seen.back += 1;
      seen.last = element.currentTime;
      seen.positions.add(Math.floor(element.currentTime * 4));
    });
    element.muted = true;
    await element.play();
    return element.duration;
  });
  // While it grows the length is what exists so far; the wait is bounded by the transcode instead.
  await page.waitForFunction(() => window.reelpinSeen.ended, null, { timeout: Number(REELPIN_WAIT) * 1000, polling: 250 }).catch(async () => {
    throw new Error(`it did not end: at ${await video.evaluate((element) => element.currentTime)} s of ${length}`);
  });
  const { back, positions, at, duration, fault } = await video.evaluate((element) => ({
    back: window.reelpinSeen.back,
    positions: window.reelpinSeen.positions.size,
    at: element.currentTime,
    duration: element.duration,
    fault: element.closest("rp-player").querySelector("[role=alert]:not([hidden])")?.textContent ?? "",
  }));
  assert.equal(fault, "");
  assert.equal(back, 0, `the position went back ${back} times`);
  assert.ok(Math.abs(at - duration) < 0.5, `it ended at ${at} s of ${duration} s`);
  assert.ok(positions > Math.min(duration * 2, 4), `only ${positions} positions were seen in ${duration} s`);
}
