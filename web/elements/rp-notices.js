/** <rp-notices>: sentences that stay until they are read: refused files, lost connections. `show(text)`. */

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

/** More than these nobody reads. */
const MOST = 5;

export class RpNotices extends HTMLElement {
  show(text) {
    const close = h("button", { type: "button", class: "button icon-only" }, icon("close"), h("span", { class: "unseen" }, "Dismiss"));
    const notice = h("div", { class: "notice", role: "alert" }, icon("alert"), h("p", {}, text), close);
    close.onclick = () => notice.remove();
    while (this.childElementCount >= MOST) this.firstElementChild.remove();
    this.append(notice);
  }
}

customElements.define("rp-notices", RpNotices);
