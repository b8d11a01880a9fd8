/** <rp-drop>: makes the whole page a drop target. Emits "files" {files}, and shows where they would go while they hover. */

import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";

export class RpDrop extends HTMLElement {
  #stop;
  #depth = 0;

  connectedCallback() {
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.hidden = true;
    this.replaceChildren(h("div", { class: "drop-words" }, icon("upload"), h("p", {}, "Drop to upload")));
    const on = (name, act) => window.addEventListener(name, (event) => hasFiles(event) && act(event), { signal });
    on("dragenter", () => this.#hover(1));
    on("dragleave", () => this.#hover(-1));
    on("dragover", (event) => {
      event.preventDefault();
      event.dataTransfer.dropEffect = document.querySelector("dialog[open]") ? "none" : "copy";
    });
    on("drop", (event) => {
      event.preventDefault();
      this.#hover(-this.#depth);
      if (document.querySelector("dialog[open]")) return;
      this.dispatchEvent(new CustomEvent("files", { bubbles: true, detail: filesOf(event.dataTransfer) }));
    });
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  /** Every element entered and left is told, so only the sum says whether the pointer is over the page. */
  #hover(step) {
    this.#depth = Math.max(0, this.#depth + step);
    this.hidden = this.#depth === 0;
  }
}

function hasFiles(event) {
  return event.dataTransfer?.types.includes("Files") ?? false;
}

/** A folder looks like a file without content, and is told apart by its entry only. */
function filesOf(transfer) {
  const files = [];
  const folders = [];
  for (const item of transfer.items) {
    if (item.kind !== "file") continue;
    const file = item.getAsFile();
    if (item.webkitGetAsEntry?.()?.isDirectory) folders.push(file?.name ?? "");
    else if (file) files.push(file);
  }
  return { files, folders };
}

customElements.define("rp-drop", RpDrop);
