/** How fast bytes go, over the last few seconds, so that neither a burst nor a pause makes the numbers jump. */

const WINDOW_MS = 6000;

export class Rate {
  #samples = [];

  /** `at` in ms of any steady clock, `sent` the bytes so far. */
  push(at, sent) {
    this.#samples.push({ at, sent });
    while (this.#samples.length > 2 && at - this.#samples[0].at > WINDOW_MS) this.#samples.shift();
  }

  /** Bytes per second; 0 while less than half a second is known. */
  get perSecond() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || last.at - first.at < 500) return 0;
    return Math.max(0, ((last.sent - first.sent) * 1000) / (last.at - first.at));
  }
}
