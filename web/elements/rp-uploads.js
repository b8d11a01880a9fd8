/** <rp-uploads>: the tray with the uploads of this page. Set `app` before it is connected; hidden while there are none. */

import "./rp-upload.js";
import { bar, h, say, setBar } from "../lib/dom.js";
import { percent } from "../lib/format.js";
import { icon } from "../lib/icons.js";

export class RpUploads extends HTMLElement {
  app;
  #title = h("h2", { id: "uploads-title" });
  #list = h("ul", { role: "list" });
  #bar = bar("All uploads", 0);
  #rows = new Map();
  #frame = null;
  #busy = false;
  #close = h("button", { type: "button", class: "button icon-only" });
  #foldButton = h("button", { type: "button", class: "button icon-only fold", "aria-controls": "uploads-list" });

  connectedCallback() {
    const close = this.#close;
    close.append(icon("close"), h("span", { class: "unseen" }, "Clear finished uploads"));
    this.#list.id = "uploads-list";
    this.#foldButton.append(icon("down"), h("span", { class: "unseen" }, "Show the uploads"));
    this.#foldButton.onclick = () => this.#fold(!this.#list.hidden);
    close.onclick = () => this.#clear();
    this.replaceChildren(h("section", { class: "tray", "aria-labelledby": "uploads-title" }, h("header", {}, this.#title, this.#foldButton, close, this.#bar), this.#list));
    this.hidden = true;
    this.#fold(true);
    // The page of a video has its own bars, and the rows would lie over them.
    window.addEventListener("hashchange", () => this.#fold(true));
    const { queue } = this.app;
    queue.addEventListener("added", ({ upload }) => this.#add(upload));
    queue.addEventListener("removed", ({ upload }) => this.#remove(upload));
    queue.addEventListener("changed", () => this.#soon());
  }

  #fold(folded) {
    this.#list.hidden = folded;
    this.#foldButton.setAttribute("aria-expanded", String(!folded));
  }

  #add(upload) {
    const row = Object.assign(document.createElement("rp-upload"), { app: this.app, upload });
    this.#rows.set(upload, row);
    this.#list.append(h("li", {}, row));
    this.#soon();
  }

  #remove(upload) {
    this.#rows.get(upload)?.closest("li").remove();
    this.#rows.delete(upload);
    this.#soon();
  }

  #clear() {
    for (const upload of this.app.queue.uploads) {
      if (upload.state === "done" || upload.state === "failed") this.app.queue.remove(upload);
    }
  }

  /** Progress comes many times a second and for several files: one drawing per frame is enough. */
  #soon() {
    this.#frame ??= requestAnimationFrame(() => {
      this.#frame = null;
      this.#show();
    });
  }

  #show() {
    const { uploads } = this.app.queue;
    this.hidden = uploads.length === 0;
    for (const row of this.#rows.values()) row.show();
    const open = uploads.filter((upload) => upload.active || upload.state === "queued");
    const failed = uploads.filter((upload) => upload.state === "failed").length;
    const sent = open.reduce((sum, upload) => sum + upload.sent, 0);
    const total = open.reduce((sum, upload) => sum + upload.total, 0);
    const files = (n) => (n === 1 ? "1 file" : `${n} files`);
    this.#close.hidden = open.length === uploads.length;
    const value = open.length > 0 ? percent((100 * sent) / total) : 0;
    this.#bar.hidden = open.length === 0;
    setBar(this.#bar, value);
    // On a phone the rows would cover the page; there the heading and its bar tell enough. So they do at the end.
    if (open.length > 0 && !this.#busy && matchMedia("(min-width: 601px)").matches) this.#fold(false);
    if (open.length === 0 && this.#busy) this.#fold(failed === 0);
    this.#busy = open.length > 0;
    if (open.length > 0) say(this.#title, `Uploading ${files(open.length)} · ${value} %`);
    else say(this.#title, failed > 0 ? `${files(failed)} not uploaded` : `${files(uploads.length)} uploaded`);
  }
}

customElements.define("rp-uploads", RpUploads);
