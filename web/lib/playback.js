/**
 * What the viewer wants of a film, and when it may play: holds it back while playing would soon stop again, and after a
 * stop that came all the same. Knows a media element by its events and properties only; no DOM, no clock of its own.
 */

import { gate } from "./gate.js";
import { Pace } from "./pace.js";
import { within } from "./scale.js";

/** A stop of less than this is no stall. */
const STALL_MS = 400;
/** How often a held film is looked at. */
const LOOK_MS = 250;
/** Players may stand a little after 0 before anything was played, seconds. */
const SEEN = 0.2;
/** Seconds from the end of what exists within which a stall is the encoder's doing, not the line's. */
const EDGE = 1;

export class Playback {
  #video;
  #clock;
  #onchange;
  #pace = new Pace();
  #film = { ready: 0, duration: 0, growing: false };
  #wanted = false;
  #holding = false;
  #stalled = false;
  #forced = false;
  #begun = false;
  #age = null;
  #timer = null;
  #stall = null;

  /** `clock()` gives milliseconds that never go back; `onchange()` is called when something of it has changed. */
  constructor(video, { onchange, signal, clock = () => performance.now() }) {
    this.#video = video;
    this.#clock = clock;
    this.#onchange = onchange;
    const on = (names, work) => names.split(" ").forEach((name) => video.addEventListener(name, work, { signal }));
    on("play", () => this.#played());
    on("pause", () => this.#paused());
    on("ended", () => this.#settle({ wanted: false }));
    on("waiting", () => this.#waits());
    on("canplay", () => this.#could());
    on("playing timeupdate", () => this.#moves());
    on("seeked ratechange volumechange durationchange progress loadedmetadata", () => onchange());
    signal.addEventListener("abort", () => this.#rest());
  }

  /**
   * Takes what is known of the film: `{ready, duration, growing, target}` in seconds; not growing is all there will be, and
   * `target` is the target duration of its playlists.
   */
  film({ ready, duration, growing, target }) {
    this.#film = { ready, duration, growing, target };
    if (growing && ready > 0) {
      this.#pace.saw(this.#seconds, ready, target);
      this.#older();
    }
    this.#look();
    this.#onchange();
  }

  /** Takes for how many seconds the film has been playable. */
  age(seconds) {
    this.#age = { seconds, at: this.#seconds };
    this.#older();
  }

  get wanted() {
    return this.#wanted;
  }

  /** True once something of it was seen. */
  get begun() {
    return (this.#begun ||= this.#video.played.length > 0 || this.#video.currentTime > SEEN);
  }

  /** Film seconds per second as far as one can tell, null while it is not known. */
  get speed() {
    return this.#pace.at(this.#seconds).likely;
  }

  /** Where somebody who began now would begin, or have to wait: the gate's decision. */
  get decision() {
    const { ready, duration, growing, target } = this.#film;
    return gate({ ready, duration, position: this.#video.currentTime, ended: !growing, target, ...this.#pace.at(this.#seconds) });
  }

  /** Why it stands still although somebody wants to watch: null, "held", "edge" (the next part is due) or "line". */
  get waiting() {
    if (!this.#wanted) return null;
    if (this.#holding) return "held";
    if (!this.#stalled) return null;
    return this.#atEdge ? "edge" : "line";
  }

  toggle() {
    if (this.#wanted) this.pause();
    else this.play();
  }

  play() {
    this.#settle({ wanted: true });
    if (this.#forced || this.decision.go) this.#start();
    else this.#hold();
  }

  pause() {
    this.#settle({ wanted: false });
    this.#video.pause();
  }

  /** Begins now whatever the gate says, and does not hold this film back again. */
  anyway() {
    this.#forced = true;
    this.play();
  }

  /** Goes to `to` seconds, or as near as exists. */
  seek(to) {
    const { seekable } = this.#video;
    if (seekable.length === 0) return;
    this.#video.currentTime = within(to, seekable.end(seekable.length - 1), !this.#film.growing);
    this.#onchange();
  }

  #start() {
    this.#holding = false;
    const began = this.#video.play();
    // Whoever forbids it (a browser's rules) has not been asked by the viewer.
    began?.catch((error) => error.name === "NotAllowedError" && this.#settle({ wanted: false }));
    this.#rest();
    this.#onchange();
  }

  #hold() {
    this.#holding = true;
    this.#stalled = false;
    this.#video.pause();
    this.#watch();
    this.#onchange();
  }

  /** Looks at what it waits for until it has come. */
  #look() {
    if (!this.#wanted || !(this.#holding || this.#stalled)) return;
    const { go } = this.decision;
    if (this.#holding && go) return this.#start();
    if (!this.#holding && !go && !this.#forced && this.#atEdge) return this.#hold();
    this.#onchange();
  }

  /** Whichever comes later, the first look or the age, tells how fast it was. */
  #older() {
    if (this.#age === null || !(this.#film.ready > 0)) return;
    this.#pace.since(this.#seconds, this.#age.seconds + this.#seconds - this.#age.at);
    this.#age = null;
  }

  #watch() {
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #rest() {
    clearInterval(this.#timer);
    clearTimeout(this.#stall);
    this.#timer = this.#stall = null;
  }

  #settle({ wanted }) {
    this.#wanted = wanted;
    this.#holding = this.#stalled = false;
    this.#rest();
    this.#onchange();
  }

  /** By us, or by keys and buttons that are not ours: those know what they want. */
  #played() {
    if (this.#wanted && !this.#holding) return;
    this.#forced = true;
    this.#settle({ wanted: true });
  }

  #paused() {
    if (this.#holding || !this.#wanted || !this.#video.paused || this.#video.ended) return;
    this.#settle({ wanted: false });
  }

  /** A source that is taken up anew stops the element without a word; who was watching goes on. */
  #could() {
    if (this.#wanted && !this.#holding && this.#video.paused && !this.#video.ended) this.play();
  }

  #waits() {
    if (!this.#wanted || this.#holding) return;
    this.#stall ??= setTimeout(() => {
      this.#stall = null;
      if (this.#video.paused || this.#video.readyState > 2) return;
      this.#stalled = true;
      this.#watch();
      this.#look();
    }, STALL_MS);
  }

  #moves() {
    if (this.#video.readyState > 2 && !this.#holding) {
      this.#stalled = false;
      this.#rest();
    }
    this.#onchange();
  }

  get #atEdge() {
    return this.#film.growing && this.#film.ready - this.#video.currentTime < EDGE;
  }

  get #seconds() {
    return this.#clock() / 1000;
  }
}
