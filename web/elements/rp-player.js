/**
 * <rp-player>: plays one video with hls.js; native HLS only where that cannot run. `show(record)` may be called as often as
 * the record changes: a newer playlist is taken at a pause, a seek or the end, never in mid-play.
 */

import { h, safeUrl, say } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { playerKeys } from "../lib/keys.js";

/** Times that a fatal error of the network or the decoder is answered by hls.js' own recovery before we give up. */
const RECOVERIES = 3;

export class RpPlayer extends HTMLElement {
  #video = h("video", { controls: true, playsinline: true, preload: "metadata" });
  #quality = h("select", { "aria-label": "Quality" });
  #bar = h("div", { class: "player-bar", hidden: true }, h("label", {}, h("span", {}, "Quality"), this.#quality), h("span", { class: "now", role: "presentation" }));
  #fault = h("div", { class: "player-fault", role: "alert", hidden: true });
  #stop;
  #hls = null;
  #source = null;
  #next = null;
  #resume = false;
  #recoveries = 0;
  #playlists = "";

  connectedCallback() {
    this.replaceChildren(h("div", { class: "frame" }, icon("sound"), this.#video, this.#fault), this.#bar);
    // At the end there is a pause too, but nothing to take: a replay begins with a seek.
    this.#video.addEventListener("pause", () => !this.#video.ended && this.#take());
    this.#video.addEventListener("seeking", () => this.#take());
    this.#stop = new AbortController();
    playerKeys(this.#video, this.#stop.signal);
    this.#video.addEventListener("error", () => this.#hls === null && this.#source && this.#failed("The video could not be played."));
    this.#quality.addEventListener("change", () => {
      if (this.#hls) this.#hls.nextLevel = Number(this.#quality.value);
      say(this.querySelector(".now"), "");
    });
  }

  disconnectedCallback() {
    this.#stop.abort();
    this.#hls?.destroy();
    this.#hls = null;
    this.#source = null;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  /** The media element, for keys and tests. */
  get video() {
    return this.#video;
  }

  show(record) {
    const address = record.playback?.hls ? safeUrl(record.playback.hls) : null;
    const poster = record.playback?.poster ? safeUrl(record.playback.poster) : null;
    if (poster && this.#video.poster !== poster) this.#video.poster = poster;
    this.#video.setAttribute("aria-label", `Video: ${record.title || record.filename}`);
    // Sound alone needs no room for a picture, and has but one quality.
    this.classList.toggle("sound", Boolean(record.duration) && !record.width);
    if (!address) return;
    // A playlist that grows has the same address with another content: the rungs say that it has grown.
    const playlists = [address, ...(record.renditions ?? []).filter((rendition) => rendition.format === "hls" && rendition.url).map((rendition) => rendition.resolution)].join();
    if (playlists === this.#playlists) return;
    this.#playlists = playlists;
    if (this.#source === null) return this.#open(address);
    this.#next = address;
    // Nothing was watched yet, so nothing is interrupted.
    if (this.#video.paused && this.#video.currentTime === 0) this.#take();
  }

  async #open(address) {
    this.#source = address;
    this.#fault.hidden = true;
    const { default: Hls } = await import("/app/vendor/hls.mjs").catch(() => ({ default: null }));
    if (!this.isConnected || this.#source !== address) return;
    if (Hls?.isSupported()) this.#attach(Hls, address);
    else if (this.#video.canPlayType("application/vnd.apple.mpegurl")) this.#video.src = address;
    else this.#failed("This browser cannot play the video. Download it below, or use a newer browser.", false);
  }

  #attach(Hls, address) {
    // All settings of live playback stay at their defaults: a film that grows is watched from its start.
    const hls = new Hls({ startPosition: this.#video.currentTime, backBufferLength: 90, workerPath: "/app/vendor/hls.worker.js" });
    this.#hls = hls;
    hls.on(Hls.Events.MANIFEST_PARSED, () => this.#menu());
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => say(this.querySelector(".now"), hls.autoLevelEnabled ? `now ${label(hls.levels[level])}` : ""));
    hls.on(Hls.Events.FRAG_BUFFERED, () => (this.#recoveries = 0));
    hls.on(Hls.Events.ERROR, (_, error) => {
      if (!error.fatal) return;
      this.#recoveries += 1;
      if (this.#recoveries > RECOVERIES) return this.#failed(error.type === Hls.ErrorTypes.MEDIA_ERROR ? "This browser cannot decode the video." : "The video cannot be loaded.");
      if (error.type === Hls.ErrorTypes.MEDIA_ERROR) hls.recoverMediaError();
      else if (hls.levels?.length > 0) hls.startLoad();
      else this.#failed("The video cannot be loaded.");
    });
    hls.loadSource(address);
    hls.attachMedia(this.#video);
  }

  #take() {
    if (this.#next === null || this.#hls === null) return;
    const address = this.#next;
    this.#next = null;
    this.#source = address;
    this.#resume = !this.#video.paused;
    this.#hls.config.startPosition = this.#video.currentTime;
    this.#hls.loadSource(address);
  }

  #menu() {
    const chosen = this.#quality.value || "-1";
    const levels = [...this.#hls.levels.entries()].sort(([, a], [, b]) => Math.min(b.width, b.height) - Math.min(a.width, a.height));
    this.#quality.replaceChildren(h("option", { value: -1 }, "Auto"), ...levels.map(([index, level]) => h("option", { value: index }, label(level))));
    this.#quality.value = levels.some(([index]) => String(index) === chosen) ? chosen : "-1";
    this.#hls.nextLevel = Number(this.#quality.value);
    this.#bar.hidden = levels.length === 0;
    // Another source stops the element; who was watching goes on.
    if (this.#resume) this.#video.play().catch(() => {});
    this.#resume = false;
  }

  #failed(text, again = true) {
    const retry = h("button", { type: "button", class: "button" }, icon("retry"), "Try again");
    retry.onclick = () => {
      const address = this.#source;
      this.#hls?.destroy();
      this.#hls = null;
      this.#recoveries = 0;
      this.#open(address);
    };
    this.#fault.replaceChildren(icon("alert"), h("p", {}, text), ...(again ? [retry] : []));
    this.#fault.hidden = false;
  }
}

/** A rung's name: its short side. */
function label(level) {
  return level?.width ? `${Math.min(level.width, level.height)}p` : "audio";
}

customElements.define("rp-player", RpPlayer);
