/**
 * A server that tells the page what a gateway tells it while a film is being made: the page's own files, the record, the
 * feed, and playlists that grow at a chosen speed. Times are seconds since the film became playable, by this process's clock.
 */

import { once } from "node:events";
import fs from "node:fs/promises";
import http from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { master, media } from "./playlists.mjs";
import { Sockets } from "./sockets.mjs";

const WEB = fileURLToPath(new URL("../../", import.meta.url));
const VENDOR = { "vendor/hls.mjs": "node_modules/hls.js/dist/hls.mjs", "vendor/hls.worker.js": "node_modules/hls.js/dist/hls.worker.js" };
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
/** As the gateway's, so that what it forbids is seen here. */
const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; media-src 'self' blob:; "
  + "worker-src 'self' blob:; font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/** From the starter to the first segment of the main run, beyond its encoding: a second process starts. */
const LAG = 1.2;
const ID = "0199aaaa-0000-7000-8000-000000000001";

export class Growing {
  #film;
  #options;
  #server;
  #sockets;
  #timer;
  #began = null;
  #seq = 0;
  #events = [];
  #told = new Set();

  /**
   * `speed` is film seconds per second; `rungs` maps a rung to when it is listed, in seconds since playable (0: from the
   * start); it is completed at `completes`, not before all is there; `breaks` ends it early: `{at, status, error}`, and where
   * it has an `until` it is retried then and goes on. `poster` is a JPEG's bytes.
   */
  static async start(film, { speed, rungs, completes = 0, breaks = null, poster = null }) {
    const growing = new Growing();
    growing.#film = film;
    growing.#options = { speed, rungs, completes, breaks, poster };
    growing.#server = http.createServer((request, response) => growing.#answer(request, response).catch(() => response.writeHead(500).end()));
    growing.#sockets = new Sockets(growing.#server, (message, say) => growing.#subscribed(message, say));
    growing.#server.listen(0, "127.0.0.1");
    await once(growing.#server, "listening");
    return growing;
  }

  get id() {
    return ID;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}/`;
  }

  get page() {
    return `${this.url}#/video/${ID}`;
  }

  /** The film becomes playable now; before that it is being processed. */
  begin() {
    this.#began = performance.now();
    this.#tell("playable");
    this.#timer = setInterval(() => this.#tick(), 200);
  }

  /** Seconds since playable. */
  get now() {
    return this.#began === null ? -1 : (performance.now() - this.#began) / 1000;
  }

  /** How many segments exist at this time. */
  get listed() {
    const { cuts } = this.#film;
    const { speed } = this.#options;
    const now = this.#made;
    return Math.max(1, cuts.slice(1).filter((end) => LAG + end / speed <= now).length);
  }

  get status() {
    if (this.#began === null) return "processing";
    const { breaks, completes } = this.#options;
    if (this.#broken) return breaks.status;
    return this.#whole && this.now >= completes ? "completed" : "playable";
  }

  /** Seconds since playable in which it was made. */
  get #made() {
    const { at = Infinity, until = Infinity } = this.#options.breaks ?? {};
    if (this.now < at) return this.now;
    return this.now < until ? at : this.now - (until - at);
  }

  get #broken() {
    const { at = Infinity, until = Infinity } = this.#options.breaks ?? {};
    return this.now >= at && this.now < until;
  }

  get #whole() {
    return this.listed === this.#film.cuts.length - 1;
  }

  async stop() {
    clearInterval(this.#timer);
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  get #rungs() {
    return Object.entries(this.#options.rungs).filter(([, at]) => this.now >= at).map(([name]) => name);
  }

  #tick() {
    for (const resolution of this.#rungs.slice(1)) this.#tell("rung_added", { resolution });
    const { status } = this;
    if (this.now >= (this.#options.breaks?.until ?? Infinity)) this.#tell("retried");
    if (status === "playable") return this.#sockets.tell({ type: "progress", video_id: ID, ...this.#progress() });
    if (!this.#broken || !this.#options.breaks.until) clearInterval(this.#timer);
    this.#tell(status, status === "failed" ? this.#options.breaks.error : {});
  }

  /** Each event once. */
  #tell(name, data = {}) {
    const key = name + JSON.stringify(data);
    if (this.#told.has(key)) return;
    this.#told.add(key);
    const event = { type: "event", video_id: ID, seq: (this.#seq += 1), at: new Date().toISOString(), name, data };
    this.#events.push(event);
    this.#sockets.tell(event);
  }

  #subscribed({ op, videos }, say) {
    if (op === "subscribe" && videos?.includes(ID)) say({ type: "snapshot", video_id: ID, seq: this.#seq, upload_status: this.status });
  }

  #progress() {
    const percent = this.#began === null ? 0 : Math.floor((100 * this.#film.cuts[this.listed]) / this.#film.seconds);
    return { percent: Math.min(99, percent), rungs: Object.fromEntries(Object.keys(this.#options.rungs).map((name) => [name, percent])) };
  }

  #record(growing) {
    const { status } = this;
    const { error } = this.#options.breaks ?? {};
    const hls = this.#began !== null && (growing || status === "completed") ? `${this.url}video/${ID}/hls/${status === "completed" ? "master" : "live"}.m3u8` : null;
    const rungs = this.#began === null ? [] : this.#rungs;
    return {
      id: ID, title: "A film that is being made", filename: "film.mp4", file_size: 12_345_678, upload_status: status,
      created_at: new Date().toISOString(), duration: this.#film.seconds, width: 1280, height: 720,
      playback: { ...(hls ? { hls } : {}), ...(this.#options.poster ? { poster: `${this.url}video/${ID}/poster` } : {}) },
      renditions: rungs.map((resolution) => ({ id: resolution, format: "hls", resolution, type: "transcode" })),
      pins: [], error: status === "failed" ? error : null,
    };
  }

  async #answer(request, response) {
    const url = new URL(request.url, this.url);
    const json = (value) => send(response, "application/json", JSON.stringify(value));
    const { poster } = this.#options;
    const hls = url.pathname.startsWith(`/video/${ID}/hls/`) ? url.pathname.slice(`/video/${ID}/hls/`.length) : null;
    if (hls !== null) return this.#media(hls, response);
    switch (url.pathname) {
      case "/": return this.#file("index.html", response);
      case "/config": return json({ needs_key: false, max_file_size: 5_000_000_000, ipfs_gateway: null });
      case "/videos": return json({ videos: [], next: null });
      case `/video/${ID}`: return json(this.#record(url.searchParams.get("growing") === "true"));
      case `/video/${ID}/progress`: return json({ video_id: ID, upload_status: this.status, ...this.#progress(), pins: [], error: null });
      case `/video/${ID}/events`: return json({ events: this.#events });
      case `/video/${ID}/poster`: return poster ? send(response, "image/jpeg", poster) : response.writeHead(404).end();
      default: return url.pathname.startsWith("/app/") ? this.#file(url.pathname.slice(5), response) : response.writeHead(404).end();
    }
  }

  #media(name, response) {
    const ended = this.#whole || (this.status !== "playable" && this.#began !== null);
    const text = (body) => send(response, "application/vnd.apple.mpegurl", body);
    if (this.#began === null) return response.writeHead(404).end();
    if (name === "live.m3u8" || name === "master.m3u8") return text(master(this.#rungs.map((rung) => this.#film.tracks.get(rung)), this.#film.tracks.get("audio")));
    const [track, file] = name.split("/");
    const { init, segments } = this.#film.tracks.get(track) ?? {};
    const listed = segments?.slice(0, this.listed);
    if (file === "live.m3u8" && listed) return text(media(listed, { ended }));
    const bytes = file === "init.mp4" ? init : listed?.[Number(/^(\d+)\.m4s$/.exec(file)?.[1])]?.bytes;
    return bytes ? send(response, "video/mp4", bytes) : response.writeHead(404, { "cache-control": "no-store" }).end();
  }

  async #file(name, response) {
    const file = path.join(WEB, VENDOR[name] ?? path.normalize(name));
    const bytes = file.startsWith(WEB) ? await fs.readFile(file).catch(() => null) : null;
    if (bytes === null) return response.writeHead(404).end();
    response.setHeader("content-security-policy", POLICY);
    send(response, TYPES[path.extname(file)] ?? "application/octet-stream", bytes);
  }
}

function send(response, type, body) {
  response.writeHead(200, { "content-type": type, "cache-control": "no-cache" }).end(body);
}
