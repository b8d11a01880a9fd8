/**
 * <rp-player>: plays one video, from `playable` on while the rest of it is made. `show(record)` may be called as often as the
 * record changes. More rungs are taken without a break (lib/handover.js); at the end of growth nothing is done, since the
 * same playlists tell it; a film that grows again after it had ended is loaded anew.
 */

import "./rp-controls.js";
import "./rp-veil.js";
import { h, safeUrl } from "../lib/dom.js";
import { Growth } from "../lib/growth.js";
import { icon } from "../lib/icons.js";
import { hideWhenIdle } from "../lib/idle.js";
import { playerKeys } from "../lib/keys.js";
import { Playback } from "../lib/playback.js";
import { cutShort, preparing, waitWords } from "../lib/preparing.js";
import { stamp, total } from "../lib/scale.js";
import { Source } from "../lib/source.js";

/** How often a growing film is looked at: while somebody waits for it, before that, and once it was begun. */
const LOOK_WAITING_MS = 500;
const LOOK_MS = 1000;
const LOOK_BEGUN_MS = 3000;
/** More rungs are taken in mid-play only with this much of the film beyond the playhead, and this much of it buffered. */
const AHEAD = 8;
const BUFFERED = 3;
/** Times that the same rungs are asked for until somebody pauses: hls.js may not want them all. */
const TRIES = 5;

export class RpPlayer extends HTMLElement {
  #video = h("video", { playsinline: true, preload: "metadata" });
  #controls = Object.assign(document.createElement("rp-controls"), { player: this });
  #veil = Object.assign(document.createElement("rp-veil"), { player: this });
  #frame = h("div", { class: "frame" }, icon("sound"), this.#video, this.#veil, this.#controls);
  #record = null;
  #stop = null;
  #source;
  #playback;
  #growth = null;
  #stopGrowth = null;
  #fault = null;
  #height = null;
  #tried = { rungs: "", times: 0 };

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.replaceChildren(this.#frame);
    const onchange = () => this.#draw();
    this.#playback = new Playback(this.#video, { onchange, signal });
    this.#source = new Source(this.#video, {
      onrungs: onchange,
      onrung: (height) => {
        this.#height = height;
        this.#draw();
      },
      onfault: (title, retry) => {
        this.#fault = { title, retry };
        this.#draw();
      },
    });
    playerKeys({ toggle: () => this.#live && this.toggle(), seekBy: (seconds) => this.seek(this.#video.currentTime + seconds), mute: () => this.mute(), fill: () => this.fill() }, signal);
    this.#video.addEventListener("pause", () => (this.#tried.times = 0), { signal });
    for (const name of ["pause", "seeked", "waiting"]) this.#video.addEventListener(name, () => this.#takeMore(), { signal });
    hideWhenIdle({ frame: this.#frame, video: this.#video, controls: this.#controls, act: () => this.toggle(), ready: () => this.#playback.begun, signal });
    this.#veil.addEventListener("focus-lost", () => this.#controls.querySelector("button").focus(), { signal });
    document.addEventListener("fullscreenchange", onchange, { signal });
    this.#draw();
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#stopGrowth?.abort();
    this.#source.close();
  }

  /** The media element, for tests. */
  get video() {
    return this.#video;
  }

  show(record) {
    const before = this.#record;
    this.#record = record;
    const poster = record.playback?.poster ? safeUrl(record.playback.poster) : null;
    if (poster && this.#video.poster !== poster) this.#video.poster = poster;
    this.#video.setAttribute("aria-label", `Video: ${record.title || record.filename}`);
    // Sound alone needs no room for a picture, and has but one quality.
    this.classList.toggle("sound", Boolean(record.duration) && !record.width);
    const address = record.playback?.hls ? safeUrl(record.playback.hls) : null;
    if (!address) return;
    if (this.#source.address === null) this.#open(address);
    else if (record !== before) this.#growth?.poke();
    this.#film();
  }

  /** The film is playable for `seconds`; tells how fast it was made before anybody looked. */
  age(seconds) {
    this.#playback.age(seconds);
  }

  // What controls, veil and keys act on.

  toggle() {
    this.#playback.toggle();
  }

  play() {
    this.#playback.play();
  }

  anyway() {
    this.#playback.anyway();
  }

  again() {
    this.seek(0);
    this.play();
  }

  reopen() {
    this.#start(this.#source.address);
  }

  seek(to) {
    this.#playback.seek(to);
  }

  /** As far as a seek can lead, seconds. */
  get end() {
    const { seekable } = this.#video;
    return seekable.length > 0 ? seekable.end(seekable.length - 1) : 0;
  }

  mute() {
    const video = this.#video;
    video.muted = !(video.muted || video.volume === 0);
    if (!video.muted && video.volume === 0) video.volume = 0.5;
  }

  volume(value) {
    this.#video.volume = value;
    this.#video.muted = value === 0;
  }

  quality(height) {
    this.#source.height = height;
    this.#draw();
  }

  fill() {
    if (document.fullscreenElement) document.exitFullscreen();
    else if (this.#frame.requestFullscreen) this.#frame.requestFullscreen().catch(() => {});
    else this.#video.webkitEnterFullscreen?.();
  }

  #open(address) {
    this.#start(address);
    this.#stopGrowth?.abort();
    this.#growth = null;
    if (this.#record.upload_status === "completed") return;
    this.#stopGrowth = new AbortController();
    let ended = false;
    this.#growth = new Growth({
      master: address,
      signal: this.#stopGrowth.signal,
      period: () => (this.#playback.waiting ? LOOK_WAITING_MS : this.#playback.begun ? LOOK_BEGUN_MS : LOOK_MS),
      onlook: ({ ended: over }) => {
        // Retried, or planned anew: hls.js asks no more for what has ended.
        if (ended && !over) this.#start(this.#source.address);
        ended = over;
        this.#film();
        this.#takeMore();
      },
    });
  }

  /** Takes up `address` where it is; who was watching goes on. */
  async #start(address) {
    const { wanted } = this.#playback;
    this.#fault = null;
    await this.#source.open(address);
    if (wanted) this.#playback.play();
    this.#draw();
  }

  /** True while more of the film may come. */
  get #growing() {
    return this.#growth !== null && !this.#growth.ended;
  }

  get #live() {
    return this.#source.address !== null && this.#fault === null && !this.hidden;
  }

  #film() {
    const length = total(this.#record.duration, this.#video.duration);
    this.#playback.film({ ready: this.#growth?.ready ?? length, duration: length, growing: this.#growing, target: this.#growth?.target });
  }

  /** Rungs that the master has and hls.js has not: taken at a pause or a stop at once, in mid-play with enough in hand. */
  #takeMore() {
    const growth = this.#growth;
    if (!growth || growth.rungs.length === 0 || this.#source.rungs.length === 0 || this.#source.taking) return;
    if (new Set(growth.rungs).size <= this.#source.rungs.length) return;
    const { currentTime, paused, readyState, buffered } = this.#video;
    const ahead = buffered.length > 0 ? buffered.end(buffered.length - 1) - currentTime : 0;
    const enough = (growth.ended || growth.ready - currentTime >= AHEAD) && ahead >= BUFFERED;
    if (!(paused || readyState < 3 || enough)) return;
    const rungs = growth.rungs.join();
    this.#tried = { rungs, times: rungs === this.#tried.rungs ? this.#tried.times + 1 : 1 };
    if (this.#tried.times > TRIES) return;
    // Nothing was watched, so nothing can break.
    if (paused && !this.#playback.begun) this.#start(this.#source.address);
    else this.#source.take(this.#source.address);
  }

  #draw() {
    const video = this.#video;
    const length = total(this.#record?.duration, video.duration);
    const ready = this.#growth?.ready ?? length;
    this.#controls.show({
      wanted: this.#playback.wanted, position: video.currentTime, ready, length, note: this.#note(ready, length),
      volume: video.volume, muted: video.muted, full: document.fullscreenElement === this.#frame,
      rungs: this.#source.rungs, height: this.#source.height, shown: this.#height,
    });
    this.#veil.show(this.#cover(ready, length));
    this.#frame.classList.toggle("playing", this.#playback.wanted);
  }

  #note(ready, length) {
    if (this.#growing) return preparing(ready, length);
    return this.#short(ready, length) ? `Ends at ${stamp(ready, length)}: the rest is missing` : "";
  }

  #short(ready, length) {
    return this.#growth?.ended && ready < length - 1 ? cutShort(this.#record) : null;
  }

  #cover(ready, length) {
    if (this.#fault) return { kind: "fault", ...this.#fault };
    const short = this.#short(ready, length);
    if (short && this.#video.ended) return { kind: "over", ...short };
    const { waiting, decision, speed, begun, wanted } = this.#playback;
    if (waiting === "line") return { kind: "line", title: "Loading…" };
    if (waiting) return { kind: waiting === "held" || !decision.go ? "wait" : "line", ...waitWords(decision, { ready, duration: length, speed }) };
    if (wanted || begun) return { kind: "" };
    const soon = decision.go || decision.seconds === null;
    return { kind: "start", title: soon ? "" : waitWords(decision, { ready, duration: length, speed }).title };
  }
}

customElements.define("rp-player", RpPlayer);
