/** <rp-stage>: the player, or what stands in its place while there is nothing to watch. `show(record, live, upload)`. */

import "./rp-player.js";
import { h, safeUrl, say } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { isPlayable, stateName } from "../lib/state.js";

export class RpStage extends HTMLElement {
  #player = document.createElement("rp-player");
  #poster = h("img", { alt: "", hidden: true });
  #words = h("p", {});
  #wait = h("div", { class: "stage-wait" }, this.#poster, icon("film"), this.#words);

  connectedCallback() {
    this.#player.hidden = true;
    this.replaceChildren(this.#wait, this.#player);
  }

  /** Tells the player for how many seconds the film has been playable. */
  age(seconds) {
    this.#player.age(seconds);
  }

  show(record, live, upload) {
    const playable = isPlayable(record);
    this.#player.hidden = !playable;
    this.#wait.hidden = playable;
    if (playable) return this.#player.show(record);
    const poster = record.playback?.poster ? safeUrl(record.playback.poster) : null;
    if (poster && this.#poster.src !== poster) this.#poster.src = poster;
    this.#poster.hidden = !poster;
    this.#wait.classList.toggle("has-poster", Boolean(poster));
    say(this.#words, sentence(record, live, upload));
  }
}

function sentence(record, live, upload) {
  switch (record.upload_status) {
    case "failed":
    case "cancelled":
      return "Nothing to watch";
    case "pending":
      return upload ? `Uploading ${percent((100 * upload.sent) / upload.total)} %` : stateName(record);
    default:
      return live.percent === null ? stateName(record) : `${stateName(record)} ${percent(live.percent)} %`;
  }
}

customElements.define("rp-stage", RpStage);
