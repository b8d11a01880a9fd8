/**
 * The feed: one WebSocket for whatever somebody follows, videos by id or all of them. No DOM.
 *
 * Each video's last event number is kept, and for all the last cursor; a new connection asks for what came since, so
 * that a listener hears every event once and in order. Listeners get the server's messages: snapshot, event, progress,
 * reset. Who follows all and some by id hears both from one connection, and the server says each event once.
 */

import { backoff } from "./retry.js";

/** Close codes of the server. */
const UNAUTHORIZED = 4401;
const TOO_SLOW = 4408;
/** Ids of one subscribe message. */
const BATCH = 50;

export class Feed {
  /** id -> { seq: last event known or null, missed: seq of the last gap, listeners } */
  #videos = new Map();
  /** Those who follow all videos; the cursor of the last event, or where they began; null before they did. */
  #all = { cursor: null, listeners: new Set() };
  #socket = null;
  #state = "idle";
  #failures = 0;
  #timer = null;
  #joining = new Set();
  #tools;

  /**
   * `open()` makes a WebSocket; `key()` is the API key or null; `onstate(state)` hears of idle, connecting, open,
   * waiting (for the next try) and locked (a key is needed: call `wake` when there is one).
   */
  constructor({ open, key = () => null, onstate = () => {}, random = Math.random, setTimer = setTimeout.bind(globalThis), clearTimer = clearTimeout.bind(globalThis) }) {
    this.#tools = { open, key, onstate, random, setTimer, clearTimer };
  }

  get state() {
    return this.#state;
  }

  /** Calls `listener(message)` for one video until `signal` is aborted. `since`: an event number already known. */
  follow(id, listener, { signal, since = null } = {}) {
    if (signal?.aborted) return;
    let video = this.#videos.get(id);
    if (!video) {
      video = { seq: since, missed: null, listeners: new Set() };
      this.#videos.set(id, video);
      this.#join(id);
    }
    // A set of own functions: the same listener may follow twice and leave once.
    const own = (message) => listener(message);
    video.listeners.add(own);
    signal?.addEventListener("abort", () => this.#leave(id, own), { once: true });
    if (this.#state === "idle") this.#connect();
  }

  /** Calls `listener(message)` for every video until `signal` is aborted: events from now on, progress, and reset. */
  followAll(listener, { signal } = {}) {
    if (signal?.aborted) return;
    const own = (message) => listener(message);
    this.#all.listeners.add(own);
    signal?.addEventListener("abort", () => this.#leaveAll(own), { once: true });
    if (this.#state === "idle") this.#connect();
    else if (this.#state === "open" && this.#all.listeners.size === 1) this.#subscribeAll();
  }

  /** Tries again now: the network came back, the page became visible, a key was given. */
  wake() {
    if ((this.#state !== "waiting" && this.#state !== "locked") || this.#unheard) return;
    this.#tools.clearTimer(this.#timer);
    this.#failures = 0;
    this.#connect();
  }

  get #unheard() {
    return this.#videos.size === 0 && this.#all.listeners.size === 0;
  }

  #connect() {
    this.#set("connecting");
    const socket = this.#tools.open();
    this.#socket = socket;
    socket.onopen = () => {
      if (socket !== this.#socket) return;
      const key = this.#tools.key();
      if (key !== null) this.#say({ op: "auth", key });
      this.#joining.clear();
      this.#subscribe([...this.#videos.keys()]);
      if (this.#all.listeners.size > 0) this.#subscribeAll();
      this.#set("open");
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#hear(data);
    };
    socket.onclose = ({ code }) => {
      if (socket === this.#socket) this.#closed(code);
    };
  }

  #closed(code) {
    this.#socket = null;
    if (code === UNAUTHORIZED) return this.#set("locked");
    if (this.#unheard) return this.#set("idle");
    this.#set("waiting");
    // Too slow is no failure: the server is well and waits for us to come back.
    const ms = code === TOO_SLOW ? 250 : backoff(this.#failures, { base: 500, random: this.#tools.random });
    if (code !== TOO_SLOW) this.#failures += 1;
    this.#timer = this.#tools.setTimer(() => this.#connect(), ms);
  }

  #hear(data) {
    const message = parse(data);
    if (message === null) return;
    // Only an answer shows that the server is well; an open connection may be cut again at once.
    this.#failures = 0;
    if (message.type === "reset" && !message.video_id && this.#all.listeners.size > 0) return this.#tellAll(message);
    if (message.type === "reset") return this.#reset(message);
    if (message.cursor) this.#all.cursor = message.cursor;
    if (message.cursor || message.type === "progress") this.#tellAll(message);
    const video = this.#videos.get(message.video_id);
    if (!video) return;
    if (message.type === "snapshot") {
      // With `since` the missed events follow, and the number moves with them.
      video.seq ??= message.seq;
    } else if (message.type === "event") {
      if (video.seq !== null && message.seq <= video.seq) return;
      // Numbers have no gaps, so something was lost on the way. Asked for once: a second time it is not there.
      if (video.seq !== null && message.seq > video.seq + 1 && video.missed !== video.seq) {
        video.missed = video.seq;
        return this.#subscribe([message.video_id]);
      }
      video.seq = message.seq;
    }
    for (const listener of [...video.listeners]) listener(message);
  }

  #tellAll(message) {
    for (const listener of [...this.#all.listeners]) listener(message);
  }

  /** The server does not know our numbers: begin anew, and let the listeners fetch. */
  #reset(message) {
    const ids = message.video_id ? [message.video_id] : [...this.#videos.keys()];
    for (const id of ids) {
      const video = this.#videos.get(id);
      if (!video) continue;
      video.seq = null;
      for (const listener of [...video.listeners]) listener({ type: "reset", video_id: id });
    }
    this.#subscribe(ids.filter((id) => this.#videos.has(id)));
  }

  /** Collects what is followed in one turn into one message. */
  #join(id) {
    if (this.#joining.size === 0) {
      queueMicrotask(() => {
        const ids = [...this.#joining].filter((joined) => this.#videos.has(joined));
        this.#joining.clear();
        if (this.#state === "open" && ids.length > 0) this.#subscribe(ids);
      });
    }
    this.#joining.add(id);
  }

  #leave(id, own) {
    const video = this.#videos.get(id);
    if (!video?.listeners.delete(own) || video.listeners.size > 0) return;
    this.#videos.delete(id);
    if (this.#state === "open") this.#say({ op: "unsubscribe", videos: [id] });
  }

  #leaveAll(own) {
    if (!this.#all.listeners.delete(own) || this.#all.listeners.size > 0) return;
    this.#all.cursor = null;
    if (this.#state === "open") this.#say({ op: "unsubscribe", all: true });
  }

  #subscribeAll() {
    const { cursor } = this.#all;
    this.#say({ op: "subscribe", all: true, ...(cursor === null ? {} : { cursor }) });
  }

  #subscribe(ids) {
    for (let from = 0; from < ids.length; from += BATCH) {
      const videos = ids.slice(from, from + BATCH);
      const known = videos.map((id) => [id, this.#videos.get(id).seq]).filter(([, seq]) => seq !== null);
      this.#say({ op: "subscribe", videos, since: Object.fromEntries(known) });
    }
  }

  #say(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #set(state) {
    this.#state = state;
    this.#tools.onstate(state);
  }
}

function parse(data) {
  try {
    const message = JSON.parse(data);
    return message !== null && typeof message === "object" ? message : null;
  } catch {
    return null;
  }
}
