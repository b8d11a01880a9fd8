/** <rp-uploads>: the tray with the uploads of this page. Set `app` before it is connected; hidden while there are none. */

import "./rp-upload.js";
import { h, say } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

export class RpUploads extends HTMLElement {
  app;
  #title = h("h2", { id: "uploads-title" });
  #list = h("ul", { role: "list" });
  #rows = new Map();
  #frame = null;

  connectedCallback() {
    const fold = h("button", { type: "button", class: "button icon-only fold", "aria-expanded": "true", "aria-controls": "uploads-list" }, icon("down"), h("span", { class: "unseen" }, "Show the uploads"));
    const close = h("button", { type: "button", class: "button icon-only" }, icon("close"), h("span", { class: "unseen" }, "Clear finished uploads"));
    this.#list.id = "uploads-list";
    fold.onclick = () => {
      const open = fold.getAttribute("aria-expanded") !== "true";
      fold.setAttribute("aria-expanded", String(open));
      this.#list.hidden = !open;
    };
    close.onclick = () => this.#clear();
    this.replaceChildren(h("section", { class: "tray", "aria-labelledby": "uploads-title" }, h("header", {}, this.#title, fold, close), this.#list));
    this.hidden = true;
    const { queue } = this.app;
    queue.addEventListener("added", ({ upload }) => this.#add(upload));
    queue.addEventListener("removed", ({ upload }) => this.#remove(upload));
    queue.addEventListener("changed", () => this.#soon());
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
    if (open.length > 0) say(this.#title, `Uploading ${files(open.length)} · ${Math.floor((100 * sent) / total)} %`);
    else say(this.#title, failed > 0 ? `${files(failed)} not uploaded` : `${files(uploads.length)} uploaded`);
  }
}

customElements.define("rp-uploads", RpUploads);
