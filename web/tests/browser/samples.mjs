/** What a player showed, looked at each 100 ms from inside the page, and what was wrong with it. */

const EACH_MS = 100;
/** A position that stands for less than this has not stopped, seconds; a busy machine delays the looks. */
const STALL = 0.45;
/** How far a position may be from where the clock says, seconds. */
const OFF = 0.3;

/** Fills `window.reelpinSamples` until the film ends: time and position in seconds, picture's height, veil. */
export async function sample(page) {
  await page.evaluate((each) => {
    const samples = (window.reelpinSamples = []);
    const video = document.querySelector("rp-player video");
    const veil = document.querySelector("rp-veil");
    const look = () => {
      const kind = veil.dataset.kind;
      const words = kind === "" ? "" : `${veil.querySelector(".veil-title").textContent} ${veil.querySelector(".veil-detail").textContent}`;
      samples.push({ at: performance.now() / 1000, t: video.currentTime, paused: video.paused, ended: video.ended, height: video.videoHeight, rate: video.playbackRate, kind, words });
      if (video.ended) clearInterval(timer);
    };
    const timer = setInterval(look, each);
    look();
  }, EACH_MS);
}

/** Stretches in which it stood still though it should play, `{at, t, lasted}`; what is at the very end is its end. */
export function stalls(samples) {
  const found = [];
  let since = samples[0];
  for (const now of samples) {
    if (now.ended) break;
    if (now.t !== since.t) since = now;
    else if (now.at - since.at >= STALL && found.at(-1)?.t !== since.t) found.push({ at: since.at, t: since.t, words: now.words });
  }
  return found;
}

/** Places where the position was not where it must be after the time that had passed. */
export function jumps(samples) {
  return samples.slice(1).flatMap((now, n) => {
    const before = samples[n];
    const moved = now.t - before.t;
    const passed = (now.at - before.at) * now.rate;
    return moved < -0.02 || moved > passed + OFF ? [{ from: before.t, to: now.t, passed }] : [];
  });
}

/** The times that the player held the film back, each with the words it said. */
export function holds(samples) {
  const found = [];
  samples.forEach((now, n) => {
    if (now.kind !== "wait") return;
    if (samples[n - 1]?.kind !== "wait") found.push({ at: now.at, words: new Set() });
    found.at(-1).words.add(now.words);
  });
  return found.map(({ at, words }) => ({ at, words: [...words] }));
}
