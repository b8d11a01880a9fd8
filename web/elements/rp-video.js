/**
 * <rp-video>: the page of one video: player, status, what was made of it, and what can be done with it.
 * Set `app` and `video` (its id) before it is connected. Emits "video-changed" {record} and "video-removed" {id}.
 */

import "./rp-player.js";
import "./rp-status.js";
import "./rp-steps.js";
import "./rp-renditions.js";
import "./rp-addresses.js";
import { deleteDialog, editDialog } from "../lib/dialogs.js";
import { h, say } from "../lib/dom.js";
import { Followed } from "../lib/follow.js";
import { ago, bytes, clock } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { words } from "../lib/problem.js";
import { retrying } from "../lib/retry.js";
import { isMoving, isPlayable, stateName } from "../lib/state.js";

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
    if (answer && !signal.aborted) this.#parts.steps.add(answer.events);
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
    const button = (name, label, act, kind = "") => h("button", { type: "button", class: `button ${kind}`, on: { click: act } }, icon(name), label);
    const actions = {
      retry: button("retry", "Retry", () => this.#act(() => this.app.api.retry(this.video)), "primary"),
      edit: button("edit", "Edit", () => this.#edit()),
      cancel: button("stop", "Cancel", () => this.#cancel()),
      remove: button("remove", "Delete", () => this.#remove(), "danger-quiet"),
    };
    const facts = h("p", { class: "facts" });
    const description = h("p", { class: "description", hidden: true });
    const note = h("div", { class: "note", role: "alert", hidden: true });
    const wait = h("div", { class: "stage-wait" }, icon("film"), h("p", {}));
    const [player, status, steps, renditions, addresses] = ["player", "status", "steps", "renditions", "addresses"].map((name) => document.createElement(`rp-${name}`));
    player.hidden = true;
    const article = h("article", { class: "video", "aria-labelledby": "video-title", "data-video": this.video, hidden: true },
      h("div", { class: "main-column" }, h("div", { class: "stage" }, wait, player),
        h("header", {}, heading, facts, h("div", { class: "actions", role: "group", "aria-label": "Actions" }, Object.values(actions)), description),
        renditions, addresses),
      h("div", { class: "side-column" }, status, steps));
    this.replaceChildren(h("a", { class: "back", href: "#/" }, icon("back"), "All videos"), note, article);
    return { article, heading, facts, description, note, wait, player, status, steps, renditions, addresses, ...actions };
  }

  #show(record, live) {
    const parts = this.#parts;
    const upload = this.app.queue.of(record.id);
    const state = record.upload_status;
    parts.article.hidden = false;
    parts.article.dataset.state = state;
    const title = record.title || record.filename || "Untitled";
    say(parts.heading, title);
    document.title = `${title} · Reelpin`;
    say(parts.facts, [clock(record.duration), record.width ? `${record.width}×${record.height}` : "", bytes(record.file_size), ago(record.created_at, Date.now())].filter(Boolean).join(" · "));
    say(parts.description, record.description ?? "");
    parts.description.hidden = !record.description;
    parts.player.hidden = !isPlayable(record);
    parts.wait.hidden = isPlayable(record);
    say(parts.wait.lastChild, state === "failed" ? "There is nothing to watch." : upload && state === "pending" ? "Uploading" : stateName(record));
    parts.player.show(record);
    parts.status.show(record, live, upload);
    parts.renditions.show(record);
    parts.addresses.show(record, this.app.config);
    parts.retry.hidden = !(state === "failed" || state === "cancelled") || record.error?.code === "upload_expired";
    parts.cancel.hidden = !isMoving(record);
  }

  async #edit() {
    const record = await editDialog(this.#followed.record, (data) => this.app.api.rename(this.video, data));
    if (record) this.#followed.set(record);
  }

  async #remove() {
    if (await deleteDialog(this.#followed.record, () => this.app.api.remove(this.video))) this.#removed("The video was deleted.");
  }

  #cancel() {
    const upload = this.app.queue.of(this.video);
    if (!upload) return this.#act(() => this.app.api.cancel(this.video));
    this.app.queue.remove(upload);
    this.#removed("The upload was cancelled.");
  }

  async #act(call) {
    const buttons = [this.#parts.retry, this.#parts.cancel];
    const focused = document.activeElement;
    for (const button of buttons) button.disabled = true;
    try {
      this.#parts.note.hidden = true;
      this.#followed.set(await call());
    } catch (error) {
      this.#note(words(error));
    }
    for (const button of buttons) button.disabled = false;
    // The button that was pressed is gone once it has worked; the focus must not fall to the top of the page.
    if (buttons.includes(focused)) (focused.hidden ? this.#parts.heading : focused).focus();
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
