/** What a media element plays: one master playlist by hls.js, or natively only where that cannot run. */

import { handOver } from "./handover.js";

/** Times that a fatal error of the network or the decoder is answered by hls.js' own recovery before we give up. */
const RECOVERIES = 3;
const NATIVE = "application/vnd.apple.mpegurl";

export class Source {
  #video;
  #tell;
  #Hls = null;
  #hls = null;
  #address = null;
  #height = null;
  #recoveries = 0;
  #taking = false;

  /** `onrungs()` when the rungs are known or more, `onrung(height)` when another is shown, `onfault(words, again)`. */
  constructor(video, { onrungs, onrung, onfault }) {
    this.#video = video;
    this.#tell = { onrungs, onrung, onfault };
    video.addEventListener("error", () => this.#hls === null && this.#address && onfault("The video could not be played.", true));
  }

  get address() {
    return this.#address;
  }

  /** Short sides of the rungs in pixels, each once, highest first; empty where the browser does not tell. */
  get rungs() {
    return [...new Set((this.#hls?.levels ?? []).map(side).filter(Boolean))].sort((a, b) => b - a);
  }

  /** The chosen rung's short side, or null: as the line allows. */
  get height() {
    return this.#height;
  }

  set height(height) {
    this.#height = height;
    if (this.#hls) this.#hls.nextLevel = this.#level(this.#hls);
  }

  /** Whether more rungs are being taken: nobody else need ask for them. */
  get taking() {
    return this.#taking;
  }

  /** Plays `address` from where the element is; another source stops the element. */
  async open(address) {
    const { currentTime } = this.#video;
    this.close();
    this.#address = address;
    this.#Hls ??= (await import("/app/vendor/hls.mjs").catch(() => null))?.default ?? null;
    if (this.#address !== address || this.#hls) return;
    if (this.#Hls?.isSupported()) {
      this.#hls = this.#make({ startPosition: currentTime });
      this.#hls.loadSource(address);
      this.#hls.attachMedia(this.#video);
    } else if (this.#video.canPlayType(NATIVE)) {
      this.#video.src = address;
      if (currentTime > 0) this.#video.currentTime = currentTime;
    } else this.#tell.onfault("This browser cannot play the video. Download it below, or use a newer browser.", false);
  }

  /** Takes the rungs that `address` lists now, without a break; resolves to true where there were more. */
  async take(address) {
    if (this.#taking || !this.#hls) return false;
    this.#taking = true;
    const old = this.#hls;
    try {
      const next = await handOver({
        Hls: this.#Hls, old, address, video: this.#video,
        make: (config) => this.#make(config),
        worth: (candidate) => {
          if (this.#hls !== old || new Set(candidate.levels.map(side)).size <= this.rungs.length) return false;
          candidate.loadLevel = this.#level(candidate);
          return true;
        },
      });
      if (next === null) return false;
      this.#hls = next;
      this.#address = address;
      this.#tell.onrungs();
      return true;
    } finally {
      this.#taking = false;
    }
  }

  close() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#address = null;
    this.#recoveries = 0;
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  #make(config) {
    const Hls = this.#Hls;
    // All settings of live playback stay at their defaults: a film that grows is watched from its start. There is nothing
    // between its parts, and who looks for that would begin anew at each handing over.
    const hls = new Hls({ startPosition: 0, backBufferLength: 90, workerPath: "/app/vendor/hls.worker.js", interstitialsController: undefined, ...config });
    const own = (work) => (_, data) => hls === this.#hls && work(data);
    hls.on(Hls.Events.MANIFEST_PARSED, own(() => this.#tell.onrungs()));
    hls.on(Hls.Events.LEVEL_SWITCHED, own(({ level }) => this.#tell.onrung(side(hls.levels[level]))));
    hls.on(Hls.Events.FRAG_BUFFERED, own(() => (this.#recoveries = 0)));
    hls.on(Hls.Events.ERROR, own((error) => error.fatal && this.#recover(hls, error.type === Hls.ErrorTypes.MEDIA_ERROR)));
    return hls;
  }

  #recover(hls, media) {
    this.#recoveries += 1;
    const words = media ? "This browser cannot decode the video." : "The video cannot be loaded.";
    if (this.#recoveries > RECOVERIES || (!media && !(hls.levels?.length > 0))) return this.#tell.onfault(words, true);
    if (media) hls.recoverMediaError();
    else hls.startLoad();
  }

  /** The index of the chosen rung, -1 for none. */
  #level(hls) {
    return this.#height === null ? -1 : hls.levels.findIndex((level) => side(level) === this.#height);
  }
}

/** A rung's short side in pixels; 0 for sound alone. */
function side(level) {
  return level?.width ? Math.min(level.width, level.height) : 0;
}
