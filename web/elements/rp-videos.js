/** <rp-videos>: the list, newest first, a page at a time. Set `app` before it is connected. Emits "choose" (upload wanted). */

import "./rp-card.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { gone, Listing } from "../lib/listing.js";
import { words } from "../lib/problem.js";
import { retrying } from "../lib/retry.js";

export class RpVideos extends HTMLElement {
  app;
  #list = h("ul", { class: "cards", role: "list" });
  #note = h("div", { class: "note", role: "status" });
  #empty;
  #more = h("button", { type: "button", class: "button more", hidden: true }, icon("down"), "Show more");
  #cursor = null;
  #loaded = false;
  #listing = null;
  #stop;

  connectedCallback() {
    this.#stop = new AbortController();
    this.#empty ??= this.#invitation();
    const heading = h("h1", { class: "view-title", tabindex: -1 }, "Videos");
    this.replaceChildren(heading, this.#note, this.#empty, this.#list, this.#more);
    this.#more.onclick = () => this.#load();
    this.#placeholders();
    this.addEventListener("video-removed", (event) => this.drop(event.detail.id), { signal: this.#stop.signal });
    this.#load();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#listing = null;
  }

  card(id) {
    return [...this.#list.querySelectorAll("rp-card")].find((card) => card.record.id === id);
  }

  /** Shows a record: in its card, or, with `add`, as a new one in its place; ids of newer videos sort later. */
  put(record, { add = false } = {}) {
    if (!this.isConnected) return;
    const card = this.card(record.id);
    if (card) return card.update(record);
    // One older than all that is shown comes with its page.
    if (add && (this.#cursor === null || this.#older(record))) this.#place(this.#item(record), record);
    this.#settle();
  }

  #older(record) {
    return [...this.#list.querySelectorAll("rp-card")].find((other) => other.record.id < record.id);
  }

  #place(item, record) {
    const older = this.#older(record);
    if (older) older.closest("li").before(item);
    else this.#list.append(item);
    return item;
  }

  /** Takes a video out. */
  drop(id) {
    this.card(id)?.closest("li").remove();
    this.#settle();
  }

  /** Looks for what came from elsewhere while nobody looked. */
  async renew() {
    if (!this.#loaded) return;
    const shown = [...this.#list.querySelectorAll("rp-card")].map((card) => card.record.id);
    const page = await this.app.api.videos({}, { signal: this.#stop.signal, quiet: true }).catch(() => null);
    if (!page) return;
    for (const id of gone(shown, page)) this.drop(id);
    for (const record of page.videos) this.put(record, { add: true });
  }

  /** What others do shows here as it happens, from the first answer on. */
  #listen() {
    const { api, feed, open } = this.app.live();
    if (this.#listing || !open) return;
    const list = {
      follows: (id) => this.card(id)?.follows ?? false,
      put: (record) => this.put(record, { add: true }),
      drop: (id) => this.drop(id),
      renew: () => this.renew(),
    };
    this.#listing = new Listing({ api, feed, list, signal: this.#stop.signal });
  }

  /** Loads the first page again, e.g. after a key was given. */
  reload() {
    this.#list.replaceChildren();
    this.#cursor = null;
    this.#placeholders();
    return this.#load();
  }

  async #load() {
    const { signal } = this.#stop;
    // Before the list is read, so that nothing falls in between.
    this.#listen();
    const first = this.#cursor === null;
    this.#more.disabled = true;
    try {
      const page = await retrying(() => this.app.api.videos({ cursor: this.#cursor }, { signal }), {
        signal,
        onwait: (error) => this.#say(`${words(error)} It will be tried again.`),
      });
      this.#say("");
      this.#list.querySelectorAll(".placeholder").forEach((item) => item.remove());
      const items = page.videos.filter((record) => !this.card(record.id) && record.upload_status !== "deleted").map((record) => this.#place(this.#item(record), record));
      this.#cursor = page.next_cursor;
      this.#loaded = true;
      // With a key that was given for this answer.
      this.#listen();
      if (!first) items[0]?.querySelector("a").focus();
    } catch (error) {
      if (signal.aborted) return;
      this.#list.querySelectorAll(".placeholder").forEach((item) => item.remove());
      const again = h("button", { type: "button", class: "button", on: { click: () => this.#load() } }, icon("retry"), error.status === 401 ? "Enter the key" : "Try again");
      this.#say(words(error), again);
    }
    this.#more.disabled = false;
    this.#more.hidden = this.#cursor === null;
    this.#settle();
  }

  #item(record) {
    return h("li", {}, Object.assign(document.createElement("rp-card"), { app: this.app, record }));
  }

  #say(text, ...more) {
    this.#note.replaceChildren(...(text ? [h("p", {}, text), ...more] : []));
  }

  #settle() {
    const nothing = this.#loaded && this.#list.childElementCount === 0;
    this.#empty.hidden = !nothing;
    this.toggleAttribute("data-empty", nothing);
  }

  /** Grey cards until the first answer, so that nothing jumps. */
  #placeholders() {
    const card = () => h("li", { class: "placeholder", "aria-hidden": "true" }, h("div", { class: "thumb" }), h("div", { class: "line" }), h("div", { class: "line short" }));
    this.#list.replaceChildren(...Array.from({ length: 4 }, card));
    this.#empty.hidden = true;
  }

  #invitation() {
    const choose = h("button", { type: "button", class: "button primary large" }, icon("upload"), "Choose videos");
    choose.onclick = () => this.dispatchEvent(new CustomEvent("choose", { bubbles: true }));
    const logo = h("img", { src: "/app/logo.svg", alt: "", width: 72, height: 72 });
    return h("section", { class: "empty", hidden: true, "aria-label": "No videos yet" }, logo,
      h("h2", {}, "Your first video starts here"),
      h("p", {}, "Drop video files anywhere on this page, or choose them. Each is prepared in several sizes, plays as soon as the first one is ready, and gets an address on IPFS."),
      choose);
  }
}

customElements.define("rp-videos", RpVideos);
