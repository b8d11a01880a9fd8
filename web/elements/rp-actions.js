/**
 * <rp-actions>: what can be done with one video: retry, edit, cancel, delete. `show(record)` offers what its state allows.
 * Set `app` before it is connected. Emits "acted" {record} and "removed" {text}.
 */

import { deleteDialog, editDialog } from "../lib/dialogs.js";
import { h } from "../lib/dom.js";
import { icon } from "../lib/icons.js";
import { words } from "../lib/problem.js";
import { canRetry, isMoving } from "../lib/state.js";

export class RpActions extends HTMLElement {
  app;
  #record;
  #note = h("div", { class: "note", role: "alert", hidden: true });
  #retry = button("retry", "Retry", "primary", () => this.#act(() => this.app.api.retry(this.#record.id)));
  #edit = button("edit", "Edit", "", () => this.#change());
  #cancel = button("stop", "Cancel", "", () => this.#stop());
  #delete = button("remove", "Delete", "danger-quiet", () => this.#remove());

  connectedCallback() {
    this.replaceChildren(h("div", { class: "actions", role: "group", "aria-label": "Actions" }, this.#retry, this.#edit, this.#cancel, this.#delete), this.#note);
  }

  show(record) {
    this.#record = record;
    this.#retry.hidden = !canRetry(record);
    this.#cancel.hidden = !isMoving(record);
  }

  async #change() {
    const record = await editDialog(this.#record, (data) => this.app.api.rename(this.#record.id, data));
    if (record) this.#tell("acted", { record });
  }

  async #remove() {
    if (await deleteDialog(this.#record, () => this.app.api.remove(this.#record.id))) this.#tell("removed", { text: "The video was deleted." });
  }

  #stop() {
    const upload = this.app.queue.of(this.#record.id);
    if (!upload) return this.#act(() => this.app.api.cancel(this.#record.id));
    this.app.queue.remove(upload);
    this.#tell("removed", { text: "The upload was cancelled." });
  }

  async #act(call) {
    const buttons = [this.#retry, this.#cancel];
    const pressed = buttons.find((other) => other === document.activeElement);
    for (const other of buttons) other.disabled = true;
    this.#note.hidden = true;
    try {
      this.#tell("acted", { record: await call() });
    } catch (error) {
      this.#note.replaceChildren(h("p", {}, words(error)));
      this.#note.hidden = false;
    }
    for (const other of buttons) other.disabled = false;
    // A button that worked is gone, and the focus must not fall to the top of the page.
    if (pressed && this.isConnected) (pressed.hidden ? this.#edit : pressed).focus();
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

function button(name, label, kind, act) {
  return h("button", { type: "button", class: `button ${kind}`, on: { click: act } }, icon(name), label);
}

customElements.define("rp-actions", RpActions);
