/** One video as it is now: its record, and what the feed adds to it. No DOM. */

import { retrying } from "./retry.js";
import { NO_LIVE, heard, isMoving, liveOf } from "./state.js";

/** Events come in flocks (completed, published, pinned): one fetch for all of them. */
const GATHER_MS = 200;
/** Who has no key gets no feed, and asks instead. */
const POLL_MS = 5000;

/**
 * Follows `record` until `signal` is aborted, and calls `onchange({record, live, message})` after each change; `message` is
 * the feed's, or null. `gone(problem)` is called when the server says that the video is no more.
 */
export class Followed {
  record;
  live = NO_LIVE;
  #api;
  #signal;
  #onchange;
  #gone;
  #gathering = false;

  constructor(record, { api, feed, open = true, signal, onchange, gone = () => {} }) {
    this.record = record;
    this.#api = api;
    this.#signal = signal;
    this.#onchange = onchange;
    this.#gone = gone;
    if (open) feed.follow(record.id, (message) => this.#hear(message), { signal });
    else this.#poll();
    if (record.upload_status === "processing" || record.upload_status === "playable") this.#progress();
  }

  /** Takes a newer record, e.g. the answer to a rename; those do not tell of a stream that grows. */
  set(record) {
    this.#take({ ...record, playback: { ...this.record.playback, ...record.playback } });
  }

  #take(record) {
    this.record = record;
    this.#onchange({ record, live: this.live, message: null });
  }

  /** Fetches the record again, soon; calls in between are answered by the same fetch. */
  refresh() {
    if (this.#gathering) return;
    this.#gathering = true;
    setTimeout(() => this.#fetch(), GATHER_MS);
  }

  #hear(message) {
    const { record, live, fetch } = heard(this, message);
    this.record = record;
    this.live = live;
    this.#onchange({ record, live, message });
    if (fetch) this.refresh();
  }

  async #fetch() {
    const work = () => {
      this.#gathering = false;
      return this.#api.video(this.record.id, { signal: this.#signal, quiet: true });
    };
    try {
      const record = await retrying(work, { signal: this.#signal });
      if (!this.#signal.aborted) this.#take(record);
    } catch (problem) {
      if (this.#signal.aborted) return;
      if (problem.status === 404 || problem.status === 410) this.#gone(problem);
    }
  }

  async #progress() {
    try {
      const progress = await this.#api.progress(this.record.id, { signal: this.#signal, quiet: true });
      // The feed may have been quicker, and it is newer.
      if (this.#signal.aborted || this.live.percent !== null) return;
      this.live = liveOf(progress);
      this.#onchange({ record: this.record, live: this.live, message: null });
    } catch {
      // Only the bars stay empty until the feed's next message.
    }
  }

  #poll() {
    const timer = setInterval(() => {
      if (isMoving(this.record)) {
        this.refresh();
        this.#progress();
      }
    }, POLL_MS);
    this.#signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  }
}
