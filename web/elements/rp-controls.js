/**
 * <rp-controls>: the player's own controls, the same for a film that grows and a whole one: play, position on the planned
 * scale, sound, quality, full screen. Set `player` before it is connected; `show(state)` draws.
 */

import { h, say } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { place, spoken, stamp } from "../lib/scale.js";

export class RpControls extends HTMLElement {
  /** What the controls act on: `toggle()`, `seek(to)`, `mute()`, `volume(value)`, `quality(height)`, `fill()`. */
  player;
  #play = button("play", "Play");
  #mute = button("loud", "Mute");
  #fill = button("larger", "Full screen");
  #scale = h("input", { class: "scale", type: "range", min: 0, max: 0, step: "any", value: 0, "aria-label": "Position" });
  #volume = h("input", { class: "volume", type: "range", min: 0, max: 1, step: 0.05, value: 1, "aria-label": "Volume" });
  #now = h("span", { class: "time-now" }, "0:00");
  #all = h("span", { class: "time-all" });
  #note = h("p", { class: "preparing" });
  #quality = h("select", { class: "quality", "aria-label": "Quality" });
  #dragged = false;
  #rungs = "";

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.append(this.#note, this.#scale, h("div", { class: "controls-row" }, this.#play, this.#mute, this.#volume,
      h("p", { class: "time" }, this.#now, h("span", { class: "of" }, " / "), this.#all), this.#quality, this.#fill));
    const { player } = this;
    this.#play.addEventListener("click", () => player.toggle());
    this.#mute.addEventListener("click", () => player.mute());
    this.#fill.addEventListener("click", () => player.fill());
    this.#volume.addEventListener("input", () => player.volume(Number(this.#volume.value)));
    this.#quality.addEventListener("change", () => player.quality(Number(this.#quality.value) || null));
    this.#scale.addEventListener("input", () => {
      this.#dragged = true;
      this.#scale.value = Math.min(Number(this.#scale.value), player.end);
      this.#place(Number(this.#scale.value));
    });
    this.#scale.addEventListener("change", () => {
      this.#dragged = false;
      player.seek(Number(this.#scale.value));
    });
  }

  /**
   * `{wanted, position, ready, length, note, volume, muted, full, rungs, height, shown}`: seconds; rungs and heights are
   * short sides in pixels, `shown` the rung on the screen.
   */
  show(state) {
    const { wanted, length, note, volume, muted, full } = state;
    dress(this.#play, wanted ? "pause" : "play", wanted ? "Pause" : "Play");
    const silent = muted || volume === 0;
    dress(this.#mute, silent ? "muted" : "loud", silent ? "Unmute" : "Mute");
    dress(this.#fill, full ? "smaller" : "larger", full ? "Leave full screen" : "Full screen");
    set(this.#volume, "value", String(silent ? 0 : volume));
    this.#volume.style.setProperty("--played", silent ? 0 : volume);
    this.#volume.setAttribute("aria-valuetext", `${Math.round((silent ? 0 : volume) * 100)} %`);
    set(this.#scale, "max", String(length));
    this.#scale.disabled = length === 0;
    this.#scale.style.setProperty("--ready", place(state.ready, length));
    say(this.#all, length > 0 ? stamp(length, length) : "");
    say(this.#note, note);
    this.#state = state;
    if (!this.#dragged) this.#place(state.position);
    this.#menu(state);
  }

  #state = { ready: 0, length: 0 };

  #place(position) {
    const { ready, length } = this.#state;
    if (!this.#dragged) set(this.#scale, "value", String(Math.min(position, length)));
    this.#scale.style.setProperty("--played", place(position, length));
    const words = spoken(position, ready, length);
    if (this.#scale.getAttribute("aria-valuetext") !== words) this.#scale.setAttribute("aria-valuetext", words);
    say(this.#now, stamp(position, length));
  }

  #menu({ rungs, height, shown }) {
    const key = rungs.join();
    if (key !== this.#rungs) {
      this.#rungs = key;
      this.#quality.replaceChildren(h("option", { value: 0 }, "Auto"), ...rungs.map((rung) => h("option", { value: rung }, `${rung}p`)));
      this.#quality.hidden = rungs.length === 0;
    }
    set(this.#quality, "value", String(rungs.includes(height) ? height : 0));
    if (rungs.length > 0) say(this.#quality.options[0], shown && height === null ? `Auto (${shown}p)` : "Auto");
    this.dataset.shown = shown ?? "";
  }
}

function button(name, words) {
  const element = h("button", { type: "button", class: "control" });
  dress(element, name, words);
  return element;
}

/** Sets what a button shows and is called, once. */
function dress(element, name, words) {
  if (element.dataset.icon === name) return;
  element.dataset.icon = name;
  element.setAttribute("aria-label", words);
  element.title = words;
  element.replaceChildren(icon(name));
}

function set(element, property, value) {
  if (element[property] !== value) element[property] = value;
}

customElements.define("rp-controls", RpControls);
