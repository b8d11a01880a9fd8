/** The page's dialogs: native `<dialog>`, each a promise of what was decided. */

import { h, say } from "./dom.js";
import { words } from "./problem.js";

/**
 * Opens a modal form. `act(data)` runs on submit and may throw a problem, whose words are shown while the dialog stays;
 * resolves to act's result, or null when it was closed.
 */
function ask({ title, body, submit, danger = false, act }) {
  const { promise, resolve } = deferred();
  const fault = h("p", { class: "fault", role: "alert", hidden: true });
  const close = h("button", { type: "button", class: "button" }, "Cancel");
  const go = h("button", { type: "submit", class: danger ? "button danger" : "button primary" }, submit);
  const form = h("form", { method: "dialog" }, h("h2", { id: "dialog-title" }, title), ...body, fault, h("div", { class: "dialog-buttons" }, close, go));
  const dialog = h("dialog", { "aria-labelledby": "dialog-title" }, form);
  let result = null;
  close.addEventListener("click", () => dialog.close());
  // A click on the backdrop is a click on the dialog itself.
  dialog.addEventListener("mousedown", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => {
    dialog.remove();
    resolve(result);
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    go.disabled = true;
    fault.hidden = true;
    try {
      result = await act(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (error) {
      say(fault, words(error));
      fault.hidden = false;
      go.disabled = false;
    }
  });
  document.body.append(dialog);
  dialog.showModal();
  return promise;
}

/** Title and description; `save({title, description})`. Resolves to the new record or null. */
export function editDialog(record, save) {
  const title = h("input", { name: "title", required: true, maxlength: 200, autocomplete: "off", autofocus: true, value: record.title ?? "" });
  const description = h("textarea", { name: "description", rows: 5, maxlength: 5000 }, record.description ?? "");
  return ask({
    title: "Edit details",
    body: [h("label", {}, h("span", {}, "Title"), title), h("label", {}, h("span", {}, "Description"), description)],
    submit: "Save",
    act: (data) => save({ title: data.title.trim(), description: data.description.trim() }),
  });
}

/** Resolves to true when the video was deleted. */
export function deleteDialog(record, remove) {
  return ask({
    title: "Delete this video?",
    body: [h("p", {}, h("strong", {}, record.title || record.filename), " and all its sizes are removed from this server and unpinned. This cannot be undone.")],
    submit: "Delete",
    danger: true,
    act: async () => {
      await remove();
      return true;
    },
  });
}

/** Resolves to the key or null. */
export function keyDialog(wrong) {
  const key = h("input", { name: "key", type: "password", required: true, autocomplete: "current-password", autofocus: true });
  return ask({
    title: "API key",
    body: [
      h("p", {}, wrong ? "This key was not accepted. Enter another one." : "This server asks for its API key before it shows or changes anything. Whoever runs it has it."),
      h("label", {}, h("span", {}, "Key"), key),
    ],
    submit: "Continue",
    act: async (data) => data.key.trim(),
  });
}

function deferred() {
  let resolve;
  const promise = new Promise((given) => (resolve = given));
  return { promise, resolve };
}
