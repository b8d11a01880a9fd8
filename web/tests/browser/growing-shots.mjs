/** Pictures of the player while a film grows, for people to look at: phone and desktop, light and dark. */

import fs from "node:fs/promises";
import path from "node:path";
import { Growing } from "../support/growing.mjs";

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };
const VIEWS = [
  { name: "desktop-light", ...DESKTOP, colorScheme: "light" },
  { name: "desktop-dark", ...DESKTOP, colorScheme: "dark" },
  { name: "phone-light", ...PHONE, colorScheme: "light" },
  { name: "phone-dark", ...PHONE, colorScheme: "dark" },
];

export async function pictures(browser, { made, poster, failed, folder }) {
  await fs.mkdir(folder, { recursive: true });
  const growing = await Growing.start(made, { speed: 0.7, rungs: { "240p": 0, "360p": 30 }, poster });
  const broken = await Growing.start(made, { speed: 5, rungs: { "240p": 0 }, poster, breaks: { at: 3, status: "failed", error: failed } });
  try {
    const pages = await Promise.all(VIEWS.map(async ({ name, ...options }) => ({ name, page: await (await browser.newContext(options)).newPage() })));
    const all = async (name, work) => {
      for (const view of pages) {
        await work(view.page).catch(async (error) => {
          const state = await view.page.evaluate(() => {
            const { currentTime, paused, readyState, networkState, duration, ended } = document.querySelector("video");
            return { currentTime, paused, readyState, networkState, duration, ended, veil: document.querySelector("rp-veil").dataset.kind };
          });
          throw new Error(`${name} in ${view.name}: ${error.message} ${JSON.stringify(state)}`);
        });
        await view.page.screenshot({ path: path.join(folder, `${name}-${view.name}.png`) });
      }
    };
    await Promise.all(pages.map(({ page }) => page.goto(growing.page)));
    growing.begin();
    await all("start", (page) => page.locator(".start").waitFor());
    await new Promise((resolve) => setTimeout(resolve, 11_000));
    await all("start-later", async () => {});
    await all("held", async (page) => {
      await page.locator(".start").click();
      await page.locator("rp-veil[data-kind=wait]").waitFor();
    });
    await all("anyway", async (page) => {
      await page.getByRole("button", { name: "Watch now anyway" }).click();
      await page.waitForFunction(() => document.querySelector("video").currentTime > 1);
    });
    broken.begin();
    await new Promise((resolve) => setTimeout(resolve, 4000));
    await all("broken", async (page) => {
      await page.goto(broken.page);
      await page.locator(".start").click();
      await page.waitForFunction(() => document.querySelector("video").currentTime > 0.5);
      await page.locator("video").evaluate((video) => (video.currentTime = video.duration - 0.3));
      await page.locator("rp-veil[data-kind=over]").waitFor();
    });
    await Promise.all(pages.map(({ page }) => page.context().close()));
  } finally {
    await growing.stop();
    await broken.stop();
  }
}
