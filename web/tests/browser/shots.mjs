/** Pictures of list and player for people to look at: desktop in both schemes, and a phone. */

import fs from "node:fs";
import path from "node:path";

const VIEWS = [
  { name: "desktop-light", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
  { name: "desktop-dark", viewport: { width: 1280, height: 800 }, colorScheme: "dark" },
  { name: "phone-light", viewport: { width: 390, height: 844 }, colorScheme: "light", hasTouch: true, isMobile: true },
];

export async function shots(browser, { origin, id, key, folder }) {
  fs.mkdirSync(folder, { recursive: true });
  for (const { name, ...options } of VIEWS) {
    const context = await browser.newContext(options);
    if (key) await context.addInitScript((value) => sessionStorage.setItem("reelpin-key", value), key);
    const page = await context.newPage();
    await page.goto(`${origin}/`);
    await page.locator(`article.card[data-video="${id}"] .has-poster`).waitFor({ timeout: 10_000 });
    await page.screenshot({ path: path.join(folder, `list-${name}.png`) });
    await page.goto(`${origin}/#/video/${id}`);
    // A frame of the film says more than its first one.
    await page.locator("rp-player video").evaluate(async (video) => {
      while (video.readyState < 1) await new Promise((resolve) => video.addEventListener("loadedmetadata", resolve, { once: true }));
      video.currentTime = video.duration / 3;
      await new Promise((resolve) => video.addEventListener("canplay", resolve, { once: true }));
    });
    await page.screenshot({ path: path.join(folder, `player-${name}.png`) });
    await page.screenshot({ path: path.join(folder, `player-${name}-whole.png`), fullPage: true });
    await context.close();
  }
}
