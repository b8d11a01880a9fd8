/** <rp-copy>: a button that copies `value`; `label` says what, for people who do not see what stands beside it. */

import { h, say } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** How long the button says that it worked. */
const SAID_MS = 2000;

export class RpCopy extends HTMLElement {
  value = "";
  label = "";
  /** Words on the button; without them it is an icon. */
  text = "";
  #timer;

  connectedCallback() {
    const words = h("span", { class: this.text ? "" : "unseen" }, this.text || `Copy ${this.label}`);
    const button = h("button", { type: "button", class: this.text ? "button" : "button icon-only", title: `Copy ${this.label}` }, icon("copy"), words);
    const told = h("span", { class: "unseen", role: "status" });
    button.addEventListener("click", async () => {
      const copied = await copy(this.value, this);
      button.querySelector("svg").replaceWith(icon(copied ? "check" : "alert"));
      say(told, copied ? `Copied ${this.label}` : "The browser did not allow copying");
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => {
        button.querySelector("svg").replaceWith(icon("copy"));
        say(told, "");
      }, SAID_MS);
    });
    this.replaceChildren(button, told);
  }

  disconnectedCallback() {
    clearTimeout(this.#timer);
  }
}

/** The clipboard needs a secure context; over plain HTTP on another host than this one the old way still works. */
async function copy(text, near) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = h("textarea", { class: "unseen", readonly: true, "aria-hidden": "true" });
    field.value = text;
    near.append(field);
    const focused = document.activeElement;
    field.select();
    const copied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    return copied;
  }
}

export function copyButton(value, label, text = "") {
  return Object.assign(document.createElement("rp-copy"), { value, label, text });
}

customElements.define("rp-copy", RpCopy);
