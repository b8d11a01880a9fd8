/** How fast a film is being made, from what of it was ready when. No clock of its own; all times in seconds. */

/** How far back growth counts: what the encoder did before says little about what it does now. */
const WINDOW = 60;
/** The length of a segment that comes next, where the playlist does not tell. */
const NEXT = 6;
/** A film must have been playable for this long for its mean to say something. */
const OLD = 10;

export class Pace {
  #first = null;
  #ready = 0;
  #target = NEXT;
  /** When the ready part was seen to grow, and to what. */
  #grown = [];
  #step;
  /** Film seconds per second before the first look, where somebody knows. */
  #before = null;

  /** Growth may be `step` seconds older, in the mean, than it is seen. */
  constructor({ step = 0.5 } = {}) {
    this.#step = step;
  }

  /** At `now`, `ready` seconds of the film exist; `target` is the length of a segment that comes next. */
  saw(now, ready, target = NEXT) {
    this.#target = target;
    if (this.#first === null) this.#first = now;
    else if (ready > this.#ready) this.#grown.push({ at: now, ready });
    this.#ready = Math.max(this.#ready, ready);
    while (this.#grown.length > 2 && now - this.#grown[0].at > WINDOW) this.#grown.shift();
  }

  /** At `now` it had been playable for `seconds`: the first segment was there then, and what was ready since came after. */
  since(now, seconds) {
    const age = seconds - (now - (this.#first ?? now));
    if (age >= OLD && this.#grown.length === 0 && this.#ready > 0) this.#before = this.#ready / age;
  }

  /**
   * `{speed, likely, since, watched}` at `now`: film seconds per second or null, seconds since the last growth, and since the
   * first look. `speed` is rather too slow than too fast: growth counts as late as it may have been, and a pause counts
   * before it ends; `likely` is for people.
   */
  at(now) {
    const watched = this.#first === null ? 0 : now - this.#first;
    if (this.#grown.length < 2) return { speed: this.#before, likely: this.#before, since: 0, watched };
    const first = this.#grown[0];
    const last = this.#grown.at(-1);
    const since = now - last.at;
    const grown = last.ready - first.ready;
    const lasted = last.at - first.at;
    const paused = (last.ready + this.#target - first.ready) / (now - first.at);
    return { speed: Math.min(grown / (lasted + this.#step), paused), likely: Math.min(grown / lasted, paused), since, watched };
  }
}
