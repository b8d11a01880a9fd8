/** Starts the page: makes the collaborators, hands them to the elements, and shows the view that the address names. */

import "./elements/rp-drop.js";
import "./elements/rp-notices.js";
import "./elements/rp-uploads.js";
import "./elements/rp-video.js";
import "./elements/rp-videos.js";
import { PICKER, refusal } from "./lib/accept.js";
import { Announcer } from "./lib/announce.js";
import { Api } from "./lib/api.js";
import { keyDialog } from "./lib/dialogs.js";
import { say } from "./lib/dom.js";
import { Feed } from "./lib/feed.js";
import { icon } from "./lib/icons.js";
import { words } from "./lib/problem.js";
import { put } from "./lib/put.js";
import { UploadQueue } from "./lib/queue.js";
import { retrying } from "./lib/retry.js";
import { routeOf } from "./lib/router.js";

const KEY = "reelpin-key";
/** A broken line that heals within this time is not worth a word. */
const LOST_MS = 2000;

const find = (selector) => document.querySelector(selector);
const main = find("#main");
const notices = find("rp-notices");
const announcer = new Announcer(find("#announcements"));

const api = new Api({ key: sessionStorage.getItem(KEY), ask: askKey });
const feed = new Feed({
  open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`),
  key: () => api.key,
  onstate: showLink,
});
const queue = new UploadQueue({ api, put });

const app = {
  api,
  queue,
  config: { needs_key: false, max_file_size: Infinity, ipfs_gateway: null },
  /** What following a video takes; without a key there is no feed, and the page asks now and then. */
  live: () => ({ api, feed, open: !app.config.needs_key || api.key !== null }),
  announce: (topic, text) => announcer.tell(topic, text),
};

const videos = Object.assign(document.createElement("rp-videos"), { app });
/** Upload -> the id under which the list shows it. */
const shown = new WeakMap();
let scrolled = 0;
let first = true;

async function start() {
  document.body.append(Object.assign(document.createElement("rp-uploads"), { app }));
  wire();
  try {
    const onwait = (error) => notices.childElementCount === 0 && notices.show(`${words(error)} It will be tried again.`);
    Object.assign(app.config, await retrying(() => api.config(), { onwait }));
    notices.replaceChildren();
  } catch (error) {
    notices.show(words(error));
  }
  find(".key-button").hidden = !app.config.needs_key;
  show();
}

function wire() {
  const input = find("#files");
  const choose = find(".upload-button");
  choose.prepend(icon("upload"));
  find(".key-button").prepend(icon("key"));
  input.accept = PICKER;
  choose.addEventListener("click", () => input.click());
  document.addEventListener("choose", () => input.click());
  input.addEventListener("change", () => {
    take({ files: [...input.files], folders: [] });
    input.value = "";
  });
  document.addEventListener("files", ({ detail }) => take(detail));
  document.addEventListener("video-changed", ({ detail }) => videos.put(detail.record));
  document.addEventListener("video-removed", ({ detail }) => {
    videos.drop(detail.id);
    const upload = queue.uploads.find((other) => other.videoId === detail.id);
    if (upload) queue.remove(upload);
    if (routeOf(location.hash).id === detail.id) location.hash = "#/";
  });
  find(".key-button").addEventListener("click", async () => (await api.askKey()) && videos.isConnected && videos.reload());
  queue.addEventListener("changed", ({ upload }) => showUpload(upload));
  queue.addEventListener("removed", ({ upload }) => upload.state === "cancelled" && videos.drop(shown.get(upload)));
  window.addEventListener("hashchange", show);
  window.addEventListener("online", () => feed.wake());
  window.addEventListener("beforeunload", (event) => queue.busy && event.preventDefault());
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    feed.wake();
    videos.renew();
  });
  find(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    main.focus();
  });
}

/** Takes files from the picker or a drop; what cannot be a video is refused in words at once. */
function take({ files, folders }) {
  for (const name of folders) notices.show(`“${name}” is a folder. Drop the video files in it instead.`);
  for (const file of files) {
    const why = refusal(file, app.config.max_file_size);
    if (why) notices.show(why);
    else queue.add(file);
  }
}

/** A ticket makes a video: it is in the list from then on, and its card follows the upload. */
function showUpload(upload) {
  const id = upload.videoId;
  // A new ticket is a new video; the server forgets the old one.
  if (shown.has(upload) && shown.get(upload) !== id) videos.drop(shown.get(upload));
  if (!id) return;
  shown.set(upload, id);
  const card = videos.card(id);
  if (card) return card.uploading(upload);
  const record = { id, title: upload.title, filename: upload.file.name, file_size: upload.total, upload_status: "pending", created_at: new Date().toISOString() };
  if (upload.active) videos.put(record, { add: true });
}

function show() {
  const route = routeOf(location.hash);
  const before = main.querySelector("rp-video");
  if (before && before.video === route.id) return;
  if (!before && !videos.hidden) scrolled = window.scrollY;
  before?.remove();
  videos.hidden = route.name !== "list";
  if (route.name === "video") {
    main.append(Object.assign(document.createElement("rp-video"), { app, video: route.id }));
    window.scrollTo(0, 0);
  } else {
    document.title = "Reelpin";
    if (!videos.isConnected) main.append(videos);
    window.scrollTo(0, scrolled);
  }
  // The first view leaves the focus where the browser puts it; later ones take it along.
  if (!first) main.querySelector(":scope > :not([hidden]) h1")?.focus({ preventScroll: true });
  first = false;
}

async function askKey(wrong) {
  const key = await keyDialog(wrong);
  if (key === null) return null;
  sessionStorage.setItem(KEY, key);
  // Once the API has taken it.
  setTimeout(() => feed.wake());
  return key;
}

let lost = null;

function showLink(state) {
  clearTimeout(lost);
  const text = { waiting: "Reconnecting…", locked: "No live updates without the key" }[state];
  const line = find(".link-state");
  if (state === "open" || state === "idle") say(line, "");
  else if (text) lost = setTimeout(() => say(line, text), LOST_MS);
  if (state === "locked") api.askKey();
}

start();
