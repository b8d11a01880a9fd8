/** <rp-status>: how far one video is: a sentence, a bar in all, a bar per rung, and its pins. `show(record, live, upload)`. */

import { bar, h, say, setBar } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { Problem } from "../lib/problem.js";
import { isMoving, stateName, stateSentence } from "../lib/state.js";

const PINS = { queued: "waiting", pinning: "being pinned", pinned: "pinned", failed: "could not be pinned" };

export class RpStatus extends HTMLElement {
  #name = h("span", { class: "state-name" });
  #value = h("span", { class: "state-value" });
  #bar = bar("Progress in all", 0);
  #sentence = h("p", { class: "state-sentence" });
  #rungs = h("ul", { class: "rungs", role: "list", "aria-label": "Sizes" });
  #pins = h("ul", { class: "pins", role: "list", "aria-label": "Pins" });

  connectedCallback() {
    const head = h("p", { class: "state-head" }, this.#name, this.#value);
    this.replaceChildren(h("section", { class: "panel", "aria-labelledby": "status-title" },
      h("h2", { id: "status-title" }, "Status"), head, this.#bar, this.#sentence, this.#rungs, this.#pins));
  }

  show(record, live, upload) {
    const moving = isMoving(record);
    const sending = upload && record.upload_status === "pending";
    this.dataset.state = record.upload_status;
    say(this.#name, sending ? "Uploading" : stateName(record));
    say(this.#sentence, sending ? "Keep this page open until the file has arrived." : this.#words(record));
    const value = sending ? (100 * upload.sent) / upload.total : record.upload_status === "pending" ? null : (live.percent ?? 0);
    this.#bar.hidden = !moving || value === null;
    say(this.#value, this.#bar.hidden ? "" : `${percent(value)} %`);
    setBar(this.#bar, percent(value ?? 0));
    this.#showRungs(moving ? Object.entries(live.rungs) : []);
    this.#showPins(record);
  }

  #words(record) {
    if (record.upload_status !== "failed") return stateSentence(record);
    return new Problem(record.error ?? { detail: "The video could not be prepared." }).words;
  }

  #showRungs(rungs) {
    const known = new Map([...this.#rungs.children].map((item) => [item.dataset.rung, item]));
    for (const [name, value] of rungs.sort(([a], [b]) => parseInt(a, 10) - parseInt(b, 10))) {
      const item = known.get(name) ?? h("li", { "data-rung": name }, h("span", {}, name), bar(`Progress of ${name}`, 0), h("span", { class: "state-value" }));
      known.delete(name);
      setBar(item.children[1], percent(value));
      say(item.children[2], value >= 100 ? "done" : `${percent(value)} %`);
      if (!item.isConnected) this.#rungs.append(item);
    }
    for (const item of known.values()) item.remove();
    this.#rungs.hidden = rungs.length === 0;
  }

  #showPins({ pins = [], ipfs_cid }) {
    const items = pins.map((pin) => h("li", { "data-pin": pin.state }, h("span", { class: "dot", "aria-hidden": "true" }), pinWords(pin, ipfs_cid)));
    const text = items.map((item) => item.textContent).join();
    if (this.#pins.dataset.text !== text) this.#pins.replaceChildren(...items);
    this.#pins.dataset.text = text;
    this.#pins.hidden = items.length === 0;
  }
}

/** "Original on IPFS: pinned". */
function pinWords({ target, state, cid, error }, original) {
  const words = `${cid === original ? "Original" : "Published folder"} on ${target === "node" ? "IPFS" : target}: ${PINS[state] ?? state}`;
  return error && state !== "pinned" ? `${words} (${error})` : words;
}

customElements.define("rp-status", RpStatus);
