/**
 * <rp-video>: the page of one video: player, status, what was made of it, and what can be done with it.
 * Set `app` and `video` (its id) before it is connected. Emits "video-changed" {record} and "video-removed" {id}.
 */

import "./rp-actions.js";
import "./rp-stage.js";
import "./rp-status.js";
import "./rp-steps.js";
import "./rp-renditions.js";
import "./rp-addresses.js";
import { h, say } from "../lib/dom.js";
import { Followed } from "../lib/follow.js";
import { ago, bytes, clock } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { words } from "../lib/problem.js";
import { retrying } from "../lib/retry.js";
import { playableFor, stateName } from "../lib/state.js";

const PARTS = ["stage", "actions", "status", "steps", "renditions", "addresses"];

export class RpVideo extends HTMLElement {
  app;
  video;
  #stop;
  #followed = null;
  #parts;

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#parts = this.#build();
    this.app.queue.addEventListener("changed", ({ upload }) => upload.videoId === this.video && this.#again(), { signal });
    this.#load();
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  async #load() {
    const { signal } = this.#stop;
    const { note } = this.#parts;
    try {
      const record = await retrying(() => this.app.api.video(this.video, { signal }), {
        signal,
        onwait: (error) => this.#note(`${words(error)} It will be tried again.`),
      });
      note.hidden = true;
      this.#followed = new Followed(record, {
        ...this.app.live(),
        signal,
        onchange: (change) => this.#changed(change),
        gone: (problem) => this.#gone(words(problem)),
      });
      this.#changed({ ...this.#followed, message: null });
      this.#events(0);
    } catch (error) {
      if (!signal.aborted) this.#gone(words(error));
    }
  }

  /** The steps so far; the feed brings those that follow, and each is shown once. */
  async #events(since) {
    const { api } = this.app;
    const { signal } = this.#stop;
    const answer = await retrying(() => api.events(this.video, since, { signal, quiet: true }), { signal, tries: 5 }).catch(() => null);
    if (!answer || signal.aborted) return;
    this.#parts.steps.add(answer.events);
    const seconds = playableFor(answer.events, answer.now);
    if (seconds !== null && this.#followed.record.upload_status === "playable") this.#parts.stage.age(seconds);
  }

  #changed({ record, live, message }) {
    const before = this.#parts.article.dataset.state;
    if (record.upload_status === "deleted") return this.#removed("This video was deleted.");
    if (message?.type === "event") this.#parts.steps.add([message]);
    if (message?.type === "reset" || (message === null && !this.app.live().open)) this.#events(0);
    this.#show(record, live);
    if (before && before !== record.upload_status) this.app.announce(record.id, `${record.title || record.filename}: ${stateName(record)}`);
    this.dispatchEvent(new CustomEvent("video-changed", { bubbles: true, detail: { record } }));
  }

  #again() {
    if (this.#followed) this.#show(this.#followed.record, this.#followed.live);
  }

  #build() {
    const heading = h("h1", { tabindex: -1, id: "video-title" }, "Video");
    const facts = h("p", { class: "facts" });
    const description = h("p", { class: "description", hidden: true });
    const note = h("div", { class: "note", role: "alert", hidden: true });
    const [stage, actions, status, steps, renditions, addresses] = PARTS.map((name) => document.createElement(`rp-${name}`));
    actions.app = this.app;
    actions.addEventListener("acted", ({ detail }) => {
      this.#followed.set(detail.record);
      this.#followed.refresh();
    });
    actions.addEventListener("removed", ({ detail }) => this.#removed(detail.text));
    const article = h("article", { class: "video", "aria-labelledby": "video-title", "data-video": this.video, hidden: true },
      h("div", { class: "main-column" }, stage, h("header", {}, heading, facts, actions, description), renditions, addresses),
      h("div", { class: "side-column" }, status, steps));
    this.replaceChildren(h("a", { class: "back", href: "#/" }, icon("back"), "All videos"), note, article);
    return { article, heading, facts, description, note, stage, actions, status, steps, renditions, addresses };
  }

  #show(record, live) {
    const parts = this.#parts;
    const upload = this.app.queue.of(record.id);
    parts.article.hidden = false;
    parts.article.dataset.state = record.upload_status;
    const title = record.title || record.filename || "Untitled";
    say(parts.heading, title);
    document.title = `${title} · Reelpin`;
    say(parts.facts, [clock(record.duration), record.width ? `${record.width}×${record.height}` : "", bytes(record.file_size), ago(record.created_at, Date.now())].filter(Boolean).join(" · "));
    say(parts.description, record.description ?? "");
    parts.description.hidden = !record.description;
    parts.stage.show(record, live, upload);
    parts.actions.show(record);
    parts.status.show(record, live, upload);
    parts.renditions.show(record);
    parts.addresses.show(record, this.app.config);
  }

  #note(text) {
    this.#parts.note.replaceChildren(h("p", {}, text));
    this.#parts.note.hidden = false;
  }

  #gone(text) {
    this.#parts.article.hidden = true;
    this.#note(text);
  }

  #removed(text) {
    this.#stop.abort();
    this.app.announce("removed", text);
    this.dispatchEvent(new CustomEvent("video-removed", { bubbles: true, detail: { id: this.video } }));
  }
}

customElements.define("rp-video", RpVideo);
