/** Polite words for screen readers: at most one message in three seconds; of those that wait, the last of each topic. */

import { say } from "./dom.js";

const PAUSE_MS = 3000;

export class Announcer {
  #region;
  #waiting = new Map();
  #timer = null;

  constructor(region) {
    this.#region = region;
  }

  tell(topic, text) {
    this.#waiting.delete(topic);
    this.#waiting.set(topic, text);
    if (this.#timer === null) this.#speak();
  }

  #speak() {
    const [first] = this.#waiting;
    if (!first) {
      this.#timer = null;
      return;
    }
    this.#waiting.delete(first[0]);
    say(this.#region, first[1]);
    this.#timer = setTimeout(() => this.#speak(), PAUSE_MS);
  }
}
