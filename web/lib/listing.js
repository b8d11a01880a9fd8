/** Keeps a list of videos true to what happens elsewhere, by the feed of all videos. No DOM. */

/** Events come in flocks: one fetch of a video for all of them. */
const GATHER_MS = 200;
/** More videos than this at once are fetched as a page of the list. */
const AT_ONCE = 10;

/**
 * `list` is what is kept: `follows(id)` is true for a video that the list follows by itself, `put(record)` shows one,
 * `drop(id)` takes one out, and `renew()` fetches the list's first page again.
 */
export class Listing {
  #api;
  #list;
  #signal;
  #setTimer;
  #waiting = new Set();

  constructor({ api, feed, list, signal, setTimer = setTimeout.bind(globalThis) }) {
    this.#api = api;
    this.#list = list;
    this.#signal = signal;
    this.#setTimer = setTimer;
    feed.followAll((message) => this.#hear(message), { signal });
  }

  #hear(message) {
    if (message.type === "reset") return this.#list.renew();
    if (message.type !== "event") return;
    const id = message.video_id;
    if (message.name === "deleted") {
      this.#waiting.delete(id);
      return this.#list.drop(id);
    }
    if (this.#list.follows(id)) return;
    if (this.#waiting.size === 0) this.#setTimer(() => this.#fetch(), GATHER_MS);
    this.#waiting.add(id);
  }

  async #fetch() {
    const ids = [...this.#waiting];
    this.#waiting.clear();
    if (this.#signal.aborted) return;
    if (ids.length > AT_ONCE) return this.#list.renew();
    await Promise.all(ids.map((id) => this.#one(id)));
  }

  async #one(id) {
    try {
      const record = await this.#api.video(id, { signal: this.#signal, quiet: true });
      if (!this.#signal.aborted) this.#list.put(record);
    } catch (problem) {
      if (this.#signal.aborted) return;
      if (problem.status === 404 || problem.status === 410) this.#list.drop(id);
      // Otherwise its next event, or the next look at the list, brings it.
    }
  }
}

/** Which of the videos that were shown before `page` was fetched are no more: newest first, it would hold them. */
export function gone(shown, { videos, next_cursor }) {
  const present = new Set(videos.map(({ id }) => id));
  const oldest = next_cursor === null ? "" : (videos.at(-1)?.id ?? "");
  return shown.filter((id) => id >= oldest && !present.has(id));
}
