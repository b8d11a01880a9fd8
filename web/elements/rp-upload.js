/** <rp-upload>: one upload in the tray. Set `app` and `upload` before it is connected; `show()` draws it as it is. */

import { bar, h, say, setBar } from "../lib/dom.js";
import { bytes, percent, speed, timeLeft } from "../lib/format.js";
import { icon } from "../lib/icons.js";
import { videoHash } from "../lib/router.js";

export class RpUpload extends HTMLElement {
  app;
  upload;
  #line = h("p", { class: "upload-line" });
  #link = h("a", { class: "button small", hidden: true }, "Open");
  #told = "";
  #parts;

  connectedCallback() {
    const { queue } = this.app;
    const name = this.upload.file.name;
    const unseen = (text) => h("span", { class: "unseen" }, text);
    const retry = h("button", { type: "button", class: "button small", hidden: true, on: { click: () => queue.retry(this.upload) } }, icon("retry"), "Try again", unseen(` to upload ${name}`));
    const words = unseen(`Cancel the upload of ${name}`);
    const stop = h("button", { type: "button", class: "button icon-only", on: { click: () => queue.remove(this.upload) } }, icon("close"), words);
    const progress = bar(`Upload of ${name}`, 0);
    this.#link.append(unseen(` ${name}`));
    const article = h("article", { class: "upload", "aria-label": name },
      h("p", { class: "upload-name", title: name }, name), h("div", { class: "upload-buttons" }, retry, this.#link, stop), progress, this.#line);
    this.#parts = { article, retry, stop, words, progress };
    this.replaceChildren(article);
    this.show();
  }

  show() {
    if (!this.#parts) return;
    const { article, retry, words, progress } = this.#parts;
    const { upload } = this;
    article.dataset.state = upload.state;
    setBar(progress, upload.state === "finishing" ? null : percent((100 * upload.sent) / upload.total));
    progress.hidden = upload.state === "done" || upload.state === "failed";
    say(this.#line, line(upload));
    // 422: the same file would be refused again.
    retry.hidden = upload.state !== "failed" || upload.problem.status === 422;
    say(words, upload.active || upload.state === "queued" ? `Cancel the upload of ${upload.file.name}` : `Remove ${upload.file.name} from this list`);
    this.#link.hidden = upload.state !== "done";
    if (upload.videoId) this.#link.href = videoHash(upload.videoId);
    this.#tell();
  }

  /** Only what begins, ends or fails is read out; the numbers are there for who looks. */
  #tell() {
    const { state, file, problem } = this.upload;
    const text = { sending: "Uploading", done: "Uploaded", failed: "Not uploaded" }[state];
    if (!text || text === this.#told) return;
    this.#told = text;
    this.app.announce(`upload ${file.name}`, `${text}: ${file.name}. ${problem?.words ?? ""}`);
  }
}

function line(upload) {
  const sent = `${bytes(upload.sent)} of ${bytes(upload.total)}`;
  switch (upload.state) {
    case "queued":
      return `${bytes(upload.total)} · waiting for its turn`;
    case "asking":
      return `${bytes(upload.total)} · starting`;
    case "sending":
      return [sent, speed(upload.bytesPerSecond), timeLeft(upload.secondsLeft)].filter(Boolean).join(" · ");
    case "waiting":
      return `${upload.problem.detail} It will be tried again.`;
    case "finishing":
      return `${bytes(upload.total)} · finishing`;
    case "done":
      return `${bytes(upload.total)} · uploaded`;
    case "failed":
      return upload.problem.words;
    default:
      return "";
  }
}

customElements.define("rp-upload", RpUpload);
