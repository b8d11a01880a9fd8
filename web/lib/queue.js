/** Uploads in the order they were given, a few at a time. No DOM. Events: "added", "changed", "removed", each with `upload`. */

import { Upload } from "./upload.js";

/** Two keep the line busy while one asks for its ticket; more only make each slower. */
const PARALLEL = 2;

export class UploadQueue extends EventTarget {
  #uploads = [];
  #running = 0;
  #tools;

  /** `tools` as of Upload. */
  constructor(tools) {
    super();
    this.#tools = tools;
  }

  /** All uploads that were not removed, oldest first. */
  get uploads() {
    return [...this.#uploads];
  }

  /** True while leaving the page would lose something. */
  get busy() {
    return this.#uploads.some((upload) => upload.active || upload.state === "queued");
  }

  of(videoId) {
    return this.#uploads.find((upload) => upload.videoId === videoId && upload.state !== "done");
  }

  add(file) {
    const upload = new Upload(file, { ...this.#tools, onchange: () => this.#tell("changed", upload) });
    this.#uploads.push(upload);
    this.#tell("added", upload);
    this.#next();
    return upload;
  }

  /** Puts a failed one back in line. */
  retry(upload) {
    if (upload.state !== "failed") return;
    upload.state = "queued";
    upload.problem = null;
    this.#tell("changed", upload);
    this.#next();
  }

  /** Takes one out of the list; one in flight is cancelled. */
  remove(upload) {
    upload.cancel();
    this.#uploads = this.#uploads.filter((other) => other !== upload);
    this.#tell("removed", upload);
  }

  #next() {
    while (this.#running < PARALLEL) {
      const upload = this.#uploads.find((other) => other.state === "queued");
      if (!upload) return;
      this.#running += 1;
      upload.run().finally(() => {
        this.#running -= 1;
        this.#next();
      });
    }
  }

  #tell(name, upload) {
    this.dispatchEvent(Object.assign(new Event(name), { upload }));
  }
}
