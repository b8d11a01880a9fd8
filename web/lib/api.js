/** The gateway's HTTP interface. No DOM; a 401 asks for the key once and tries again with it. */

import { Problem, problemOf, unreachable } from "./problem.js";

/** No answer of the API takes this long unless something is stuck. */
const TIME_LIMIT_MS = 30_000;

export class Api {
  #fetch;
  #key;
  #ask;
  #asking = null;

  /** `ask(wrong)` resolves to a key or null (nobody wants to give one); `wrong` is true when one was refused. */
  constructor({ fetch = globalThis.fetch.bind(globalThis), key = null, ask = async () => null } = {}) {
    this.#fetch = fetch;
    this.#key = key;
    this.#ask = ask;
  }

  get key() {
    return this.#key;
  }

  /** Asks for the key, however many callers want it at once. Resolves to true when there is a new one. */
  async askKey() {
    this.#asking ??= this.#ask(this.#key !== null).finally(() => (this.#asking = null));
    const given = await this.#asking;
    if (given !== null) this.#key = given;
    return given !== null;
  }

  config(options) {
    return this.#json("GET", "/config", undefined, options);
  }

  /** A page of records, newest first. */
  videos({ cursor = null, limit = 20 } = {}, options) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor !== null) query.set("cursor", cursor);
    return this.#json("GET", `/videos?${query}`, undefined, options);
  }

  /** A record; its stream is told from `playable` on, while it still grows. */
  video(id, options) {
    return this.#json("GET", `${path(id)}?growing=true`, undefined, options);
  }

  progress(id, options) {
    return this.#json("GET", `${path(id)}/progress`, undefined, options);
  }

  /** The numbered events, plus `now` by the server's clock (ours may be wrong), in ms. */
  async events(id, since = 0, options) {
    const response = await this.#send("GET", `${path(id)}/events?since=${since}`, undefined, options);
    return { ...(await body(response)), now: clockOf(response) };
  }

  /** A ticket to upload with, plus `lifetime` in ms by the server's clock (ours may be wrong). */
  async ticket({ filename, fileSize, title, description }, options) {
    const response = await this.#send("POST", "/upload/video", { filename, fileSize, title, description }, options);
    const ticket = await body(response);
    return { ...ticket, lifetime: Date.parse(ticket.expires_at) - clockOf(response) };
  }

  complete(id, options) {
    return this.#json("POST", `/upload/video/${encodeURIComponent(id)}/complete`, undefined, options);
  }

  rename(id, { title, description }, options) {
    return this.#json("PATCH", path(id), { title, description }, options);
  }

  cancel(id, options) {
    return this.#json("POST", `${path(id)}/cancel`, undefined, options);
  }

  retry(id, options) {
    return this.#json("POST", `${path(id)}/retry`, undefined, options);
  }

  async remove(id, options) {
    await this.#send("DELETE", path(id), undefined, options);
  }

  async #json(method, url, data, options) {
    return body(await this.#send(method, url, data, options));
  }

  async #send(method, url, data, { signal, quiet = false } = {}) {
    for (;;) {
      const used = this.#key;
      const response = await this.#once(method, url, data, signal);
      if (response.ok) return response;
      const problem = await problemOf(response);
      if (problem.status !== 401 || quiet) throw problem;
      // Another caller may have brought a key while this answer was on its way.
      if (this.#key === used && !(await this.askKey())) throw problem;
    }
  }

  async #once(method, url, data, signal) {
    const headers = { accept: "application/json" };
    if (this.#key !== null) headers.authorization = `Bearer ${this.#key}`;
    if (data !== undefined) headers["content-type"] = "application/json";
    const limit = AbortSignal.timeout(TIME_LIMIT_MS);
    try {
      return await this.#fetch(url, {
        method,
        headers,
        body: data === undefined ? undefined : JSON.stringify(data),
        signal: signal ? AbortSignal.any([signal, limit]) : limit,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw unreachable();
    }
  }
}

async function body(response) {
  try {
    return await response.json();
  } catch {
    throw new Problem({ code: "bad_answer", status: 502, detail: "The server's answer could not be read." });
  }
}

/** The server's clock in ms, where it says so. */
function clockOf(response) {
  return Date.parse(response.headers.get("date") ?? "") || Date.now();
}

function path(id) {
  return `/video/${encodeURIComponent(id)}`;
}
