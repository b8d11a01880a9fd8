/**
 * <rp-card>: one video in the list: poster, title, state. Follows the video while it is moving.
 * Set `app` and `record` before it is connected. `video-changed` and `video-removed` come from elsewhere, through `update`.
 */

import { bar, h, safeUrl, say, setBar } from "../lib/dom.js";
import { Followed } from "../lib/follow.js";
import { ago, bytes, clock, percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { videoHash } from "../lib/router.js";
import { NO_LIVE, isMoving, isPlayable, stateName } from "../lib/state.js";

/** What stands for a poster where there is none. */
const SIGNS = { failed: "alert", pending: "upload", cancelled: "stop" };

export class RpCard extends HTMLElement {
  app;
  record;
  #parts;
  #followed = null;
  #stop = null;

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#show(this.record, NO_LIVE);
    this.#follow();
  }

  disconnectedCallback() {
    this.#unfollow();
  }

  /** True while it hears of its video by itself. */
  get follows() {
    return this.#followed !== null;
  }

  /** A newer record from elsewhere in the page. */
  update(record) {
    this.record = record;
    if (this.#followed) this.#followed.set(record);
    else this.#show(record, NO_LIVE);
    this.#follow();
  }

  /** Shows how far this page's own upload of it is. */
  uploading(upload) {
    if (this.record.upload_status !== "pending") return;
    this.#state(upload.state === "failed" ? "Upload failed" : "Uploading", percent((100 * upload.sent) / upload.total));
  }

  #follow() {
    if (this.#followed || !isMoving(this.record) || !this.isConnected) return;
    this.#stop = new AbortController();
    this.#followed = new Followed(this.record, {
      ...this.app.live(),
      signal: this.#stop.signal,
      onchange: ({ record, live }) => this.#heard(record, live),
      gone: () => this.#removed(),
    });
  }

  #unfollow() {
    this.#stop?.abort();
    this.#followed = null;
  }

  #heard(record, live) {
    const before = this.record.upload_status;
    this.record = record;
    if (record.upload_status === "deleted") return this.#removed();
    this.#show(record, live);
    if (before !== record.upload_status) this.app.announce(record.id, `${record.title || record.filename}: ${stateName(record)}`);
    if (!isMoving(record) && isMoving({ upload_status: before })) setTimeout(() => !isMoving(this.record) && this.#unfollow(), 2000);
  }

  #removed() {
    this.dispatchEvent(new CustomEvent("video-removed", { bubbles: true, detail: { id: this.record.id } }));
  }

  #build() {
    const title = h("a", { class: "card-title" });
    const duration = h("span", { class: "badge duration", hidden: true });
    const name = h("span", { class: "state-name" });
    const facts = h("span", { class: "card-facts" });
    const progress = bar("Progress", 0);
    const poster = h("img", { alt: "", loading: "lazy", decoding: "async", hidden: true });
    poster.addEventListener("load", () => thumb.classList.add("has-poster"));
    poster.addEventListener("error", () => (poster.hidden = true));
    const sign = h("span", { class: "thumb-sign" });
    const thumb = h("div", { class: "thumb" }, sign, poster, h("span", { class: "thumb-play" }, icon("play")), duration, progress);
    const article = h("article", { class: "card" }, thumb,
      h("div", { class: "card-text" }, h("h2", {}, title), h("p", { class: "card-line" }, name, facts)));
    this.replaceChildren(article);
    return { article, title, duration, name, facts, progress, poster, sign };
  }

  #show(record, live) {
    const { article, title, duration, facts, poster, sign } = this.#parts;
    const name = SIGNS[record.upload_status] ?? (record.duration && !record.width ? "sound" : "film");
    if (sign.dataset.icon !== name) sign.replaceChildren(icon(name));
    sign.dataset.icon = name;
    article.dataset.state = record.upload_status;
    article.dataset.video = record.id;
    article.classList.toggle("can-play", isPlayable(record) || record.upload_status === "playable");
    say(title, record.title || record.filename || "Untitled");
    title.href = videoHash(record.id);
    duration.hidden = !record.duration;
    say(duration, clock(record.duration));
    say(facts, [ago(record.created_at, Date.now()), bytes(record.file_size)].filter(Boolean).join(" · "));
    const image = record.playback?.poster ? safeUrl(record.playback.poster) : null;
    if (image && poster.getAttribute("src") !== image) {
      poster.src = image;
      poster.hidden = false;
    }
    const upload = this.app.queue.of(record.id);
    if (upload && record.upload_status === "pending") this.uploading(upload);
    else this.#state(stateName(record), isMoving(record) && record.upload_status !== "pending" ? percent(live.percent ?? 0) : null);
  }

  #state(words, value) {
    const { name, progress } = this.#parts;
    say(name, value === null ? words : `${words} ${value} %`);
    progress.hidden = value === null;
    setBar(progress, value ?? 0);
  }
}

customElements.define("rp-card", RpCard);
