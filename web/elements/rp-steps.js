/** <rp-steps>: the numbered events of one video, newest last. `add(events)` takes them in any order, each once. */

import { h } from "../lib/dom.js";
import { eventWords } from "../lib/state.js";

export class RpSteps extends HTMLElement {
  #events = new Map();
  #list = h("ol", { class: "steps", role: "list" });

  connectedCallback() {
    this.replaceChildren(h("section", { class: "panel", "aria-labelledby": "steps-title" }, h("h2", { id: "steps-title" }, "Steps"), this.#list));
    this.hidden = this.#events.size === 0;
  }

  add(events) {
    const before = this.#events.size;
    for (const event of events) this.#events.set(event.seq, event);
    if (this.#events.size === before) return;
    const steps = [...this.#events.values()].sort((a, b) => a.seq - b.seq);
    const roots = steps.map((event) => event.data?.root_cid).filter(Boolean);
    this.#list.replaceChildren(...steps.map((event) => this.#item(event, roots)));
    this.hidden = false;
  }

  #item({ seq, at, name, data }, roots) {
    const time = new Date(at);
    const words = new Intl.DateTimeFormat("en", { timeStyle: "medium", hourCycle: "h23" });
    return h("li", { "data-event": name, "data-seq": seq }, h("span", { class: "step-name" }, eventWords(name, data, roots)),
      Number.isNaN(time.getTime()) ? null : h("time", { datetime: at, title: time.toLocaleString("en") }, words.format(time)));
  }
}

customElements.define("rp-steps", RpSteps);
