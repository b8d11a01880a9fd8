/** Looks at a growing film's playlists: how much is ready, and which rungs are listed. No DOM. */

import { listed, variants } from "./playlist.js";
import { aborted, sleep } from "./retry.js";

/** No playlist takes this long unless something is stuck. */
const TIME_LIMIT_MS = 10_000;
/** Between looks that fail, at most. */
const SLOWEST_MS = 30_000;
/** For longer than this no gateway serves what it rendered before: two renderings, each kept for a second. */
const RENDERED_MS = 2_500;
/** Looks at a rung's playlist between two at the master, which changes seldom and tells by events when it does. */
const MASTER_EACH = 5;

export class Growth {
  /** Seconds that are ready, the target duration (undefined until it is known), whether that is all, and the heights of the rungs. */
  ready = 0;
  target = undefined;
  ended = false;
  rungs = [];
  #fetch;
  #signal;
  #master;
  #onlook;
  #period;
  #variants = null;
  #looks = 0;
  #nap = null;
  /** Looks that are owed although it has ended. */
  #owed = 0;

  /**
   * Looks at `master` each `period()` ms until `signal` is aborted; `onlook(this)` is called after each look. Once the
   * lowest rung has ended it looks only when it is poked: others may join later.
   */
  constructor({ master, onlook, period, signal, fetch = globalThis.fetch.bind(globalThis), pause = sleep }) {
    this.#master = master;
    this.#onlook = onlook;
    this.#period = period;
    this.#signal = signal;
    this.#fetch = fetch;
    this.#run(pause);
  }

  /** The rungs may have changed: looks at the master, now, and where it has ended once more when no older one is served. */
  poke() {
    this.#looks = 0;
    this.#owed = 1;
    this.#nap?.abort();
  }

  async #run(pause) {
    for (let failures = 0; !this.#signal.aborted; ) {
      failures = await this.#look().then(() => 0, () => failures + 1);
      if (this.#signal.aborted) return;
      if (failures > 0) this.#looks = 0;
      this.#onlook(this);
      this.#nap = new AbortController();
      const signal = AbortSignal.any([this.#signal, this.#nap.signal]);
      if (this.ended && failures === 0 && this.#owed === 0) await aborted(signal);
      else if (this.ended && failures === 0) await pause(RENDERED_MS, signal).then(() => (this.#owed -= 1), () => {});
      else await pause(Math.min(SLOWEST_MS, this.#period() * 2 ** failures), signal).catch(() => {});
    }
  }

  async #look() {
    if (this.#looks % MASTER_EACH === 0) await this.#rungs();
    this.#looks += 1;
    if (this.#variants.length === 0) throw new Error(`no rungs in ${this.#master}`);
    const { ready, ended, target } = listed(await this.#text(this.#variants[0].url));
    this.ready = Math.max(this.ready, ready);
    this.target = target || undefined;
    // The last rung may have come with the last segment.
    if (ended) await this.#rungs();
    this.ended = ended;
  }

  async #rungs() {
    this.#variants = variants(await this.#text(this.#master), this.#master);
    this.rungs = this.#variants.map(({ height }) => height);
  }

  async #text(url) {
    const answer = await this.#fetch(url, { signal: AbortSignal.any([this.#signal, AbortSignal.timeout(TIME_LIMIT_MS)]) });
    if (!answer.ok) throw new Error(`${answer.status} for ${url}`);
    return answer.text();
  }
}
