/**
 * One file's way to the server: ticket, PUT (tried again with a growing pause), complete. No DOM.
 * States: queued, asking, sending, waiting, finishing, done, failed, cancelled.
 */

import { titleOf } from "./format.js";
import { Problem } from "./problem.js";
import { Rate } from "./rate.js";
import { backoff, retrying, sleep } from "./retry.js";

/** PUTs of one run; with the pauses between them some 2 minutes of a dead network. */
const PUTS = 7;
/** New tickets of one run: the second 403 in a row is not about the time. */
const RENEWALS = 2;
/** Calls of the API around the PUT. */
const CALLS = 8;

export class Upload {
  state = "queued";
  sent = 0;
  videoId = null;
  /** The Problem that ended it, or for which it waits. */
  problem = null;
  #tools;
  #ticket = null;
  #expires = 0;
  #rate = new Rate();
  #abort = new AbortController();

  /** `put(url, headers, file, {signal, onprogress})` resolves to a status; `now()` is a steady clock in ms. */
  constructor(file, { api, put, pause = sleep, now = () => performance.now(), random = Math.random, onchange = () => {} }) {
    this.file = file;
    this.title = titleOf(file.name);
    this.#tools = { api, put, pause, now, random, onchange };
  }

  get total() {
    return this.file.size;
  }

  get bytesPerSecond() {
    return this.state === "sending" ? this.#rate.perSecond : 0;
  }

  /** Seconds; NaN while unknown. */
  get secondsLeft() {
    return this.bytesPerSecond > 0 ? (this.total - this.sent) / this.bytesPerSecond : NaN;
  }

  get active() {
    return ["asking", "sending", "waiting", "finishing"].includes(this.state);
  }

  /** Runs to done, failed or cancelled; never rejects. May be called again after failed: the ticket is kept while it is valid. */
  async run() {
    if (this.state === "cancelled") return;
    try {
      await this.#send();
      this.#set("finishing");
      await this.#complete();
      this.#set("done");
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#set("failed", error instanceof Problem ? error : new Problem({ code: "page", detail: `The upload stopped: ${error.message}` }));
    }
  }

  /** Stops at once. What the server knows of it is deleted, best effort. */
  cancel() {
    if (this.state === "done" || this.state === "cancelled") return;
    this.#abort.abort(new DOMException("cancelled", "AbortError"));
    this.#forget();
    this.#set("cancelled");
  }

  async #send() {
    const { put, now, random } = this.#tools;
    let renewals = 0;
    for (let puts = 1; ; puts += 1) {
      if (this.#ticket === null || now() >= this.#expires) await this.#renew();
      this.sent = 0;
      this.#rate = new Rate();
      this.#rate.push(now(), 0);
      this.#set("sending");
      const status = await put(this.#ticket.presigned_url, this.#ticket.headers, this.file, {
        signal: this.#abort.signal,
        onprogress: (sent) => this.#progress(sent),
      });
      // 412: an earlier PUT arrived whole and only its answer was lost.
      if ((status >= 200 && status < 300) || status === 412) break;
      if (status === 403 && renewals < RENEWALS) {
        renewals += 1;
        this.#forget();
        continue;
      }
      const problem = refused(status);
      if (!problem.passing || puts >= PUTS) throw problem;
      this.#set("waiting", problem);
      await this.#tools.pause(backoff(puts - 1, { random }), this.#abort.signal);
    }
    this.#progress(this.total);
  }

  async #renew() {
    this.#forget();
    this.#set("asking");
    const { file, title } = this;
    const ticket = await this.#call((options) => this.#tools.api.ticket({ filename: file.name, fileSize: file.size, title }, options));
    this.#ticket = ticket;
    // Half a minute early: a PUT must begin before the end.
    this.#expires = this.#tools.now() + ticket.lifetime - 30_000;
    this.videoId = ticket.video_id;
    this.#set("asking");
  }

  async #complete() {
    try {
      await this.#call((options) => this.#tools.api.complete(this.videoId, options).catch((error) => {
        // The store can be a moment late; nothing is lost by asking again.
        if (error.code === "upload_missing") throw new Problem({ ...error, detail: error.detail, status: 503 });
        throw error;
      }));
    } catch (error) {
      // The file is stored, and the server finds a finished upload without us.
      if (error.code !== "unreachable") throw error;
    }
  }

  #call(work) {
    const { pause, random } = this.#tools;
    const { signal } = this.#abort;
    const onwait = (error) => this.#set(this.state === "finishing" ? "finishing" : "waiting", error);
    return retrying(() => work({ signal }), { tries: CALLS, signal, pause, onwait, random });
  }

  #forget() {
    if (this.videoId !== null) this.#tools.api.remove(this.videoId, { quiet: true }).catch(() => {});
    this.#ticket = null;
    this.videoId = null;
  }

  #progress(sent) {
    this.sent = Math.min(sent, this.total);
    this.#rate.push(this.#tools.now(), this.sent);
    this.#tools.onchange(this);
  }

  #set(state, problem = null) {
    this.state = state;
    this.problem = problem;
    this.#tools.onchange(this);
  }
}

function refused(status) {
  if (status === 0) {
    return new Problem({ code: "unreachable", detail: "The storage cannot be reached.", suggestion: "Check the connection and try again." });
  }
  // S3 answers a PUT that came too slowly with 400, and a race of two conditional PUTs with 409.
  const later = status === 400 || status === 408 || status === 409 || status === 429 || status >= 500;
  return new Problem({
    code: "put_refused",
    status: later ? 503 : status,
    detail: `The storage refused the file (${status}).`,
    suggestion: "Try again; if it stays so, tell whoever runs this server.",
  });
}
