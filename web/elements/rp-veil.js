/**
 * <rp-veil>: what lies over the picture: the button that begins, why a film waits and how long, why it ends early, what
 * went wrong. Set `player` before it is connected. `show(view)` with `{kind, title, detail}`; kinds are "" (nothing),
 * "start", "wait", "line", "over" and "fault".
 */

import { h, say } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

export class RpVeil extends HTMLElement {
  /** What its buttons act on: `play()`, `anyway()`, `again()`, `reopen()`. */
  player;
  #title = h("p", { class: "veil-title" });
  #detail = h("p", { class: "veil-detail" });
  #start = h("button", { type: "button", class: "start", "aria-label": "Play" }, icon("play"));
  #anyway = h("button", { type: "button", class: "button" }, "Watch now anyway");
  #again = h("button", { type: "button", class: "button" }, icon("retry"), "Watch again");
  #retry = h("button", { type: "button", class: "button" }, icon("retry"), "Try again");
  /** Said once for each wait: its words change every few seconds. */
  #told = h("p", { class: "unseen", role: "status" });

  connectedCallback() {
    if (this.childElementCount > 0) return;
    this.#start.addEventListener("click", () => this.player.play());
    this.#anyway.addEventListener("click", () => this.player.anyway());
    this.#again.addEventListener("click", () => this.player.again());
    this.#retry.addEventListener("click", () => this.player.reopen());
    this.append(this.#start, this.#title, this.#detail, this.#anyway, this.#again, this.#retry, this.#told);
    this.show({ kind: "" });
  }

  show({ kind, title = "", detail = "", retry = true }) {
    say(this.#title, title);
    say(this.#detail, detail);
    if (kind === this.dataset.kind) return;
    // A button that goes while it has the focus must not take the keys with it.
    const focused = this.contains(document.activeElement);
    this.dataset.kind = kind;
    this.#start.hidden = kind !== "start";
    this.#anyway.hidden = kind !== "wait";
    this.#again.hidden = kind !== "over";
    this.#retry.hidden = kind !== "fault" || !retry;
    this.#told.setAttribute("role", kind === "fault" ? "alert" : "status");
    say(this.#told, ["wait", "over", "fault"].includes(kind) ? `${title}. ${detail}` : "");
    if (focused) this.dispatchEvent(new CustomEvent("focus-lost"));
  }
}

customElements.define("rp-veil", RpVeil);
