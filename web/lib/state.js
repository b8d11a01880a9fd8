/** What a page knows of one video, how a message of the feed changes it, and how it reads. Pure. */

/** States that end by themselves, sooner or later. */
const MOVING = new Set(["pending", "uploaded", "processing", "playable"]);
const OPEN_PINS = new Set(["queued", "pinning"]);
/** States before each of which nothing of the later ones is true; an old message must not lead back. */
const ORDER = ["pending", "uploaded", "processing", "playable", "completed"];

/** True while something may change without anybody asking for it. */
export function isMoving(record) {
  return MOVING.has(record.upload_status);
}

/** True while a pin of the video is on its way. */
export function hasOpenPins(record) {
  return (record.pins ?? []).some((pin) => OPEN_PINS.has(pin.state));
}

export function isPlayable(record) {
  return Boolean(record.playback?.hls);
}

/** Seconds since a video became playable, or null: not yet, or it was begun anew since; `now` in ms. */
export function playableFor(events, now) {
  const last = events.findLast(({ name }) => name === "playable" || name === "retried");
  return last?.name === "playable" ? Math.max(0, (now - Date.parse(last.at)) / 1000) : null;
}

/** Failures that are the file's own, or nobody's file: trying again changes nothing. */
const FINAL = new Set("upload_expired not_a_video unsupported_codec too_many_pixels too_many_streams too_long too_many_frames no_frames no_sound".split(" "));

/** True where another try may end better. */
export function canRetry({ upload_status, error }) {
  return upload_status === "cancelled" || (upload_status === "failed" && !FINAL.has(error?.code));
}

/** Nothing is known of the work yet. */
export const NO_LIVE = Object.freeze({ percent: null, rungs: Object.freeze({}) });

/** What `GET /video/{id}/progress` tells, as live state. */
export function liveOf(progress) {
  return { percent: progress.percent ?? null, rungs: { ...progress.rungs } };
}

/**
 * The view after one message: `{record, live, fetch}`; `fetch` is true where the record has grown by more than the
 * message says.
 */
export function heard({ record, live }, message) {
  if (message.type === "snapshot") return { record, live, fetch: message.upload_status !== record.upload_status };
  if (message.type === "reset") return { record, live, fetch: true };
  if (message.type === "progress") {
    const percent = message.percent ?? live.percent;
    return { record, live: { percent, rungs: { ...live.rungs, ...message.rungs } }, fetch: false };
  }
  if (message.type === "event") return event({ record, live }, message.name, message.data ?? {});
  return { record, live, fetch: false };
}

function event({ record, live }, name, data) {
  const at = (upload_status, more = {}) => ({ ...record, ...more, upload_status });
  switch (name) {
    case "uploaded":
      return { record: forward(record, "uploaded"), live, fetch: true };
    case "probed":
      return { record: { ...forward(record, "processing"), duration: data.duration, width: data.width, height: data.height }, live, fetch: false };
    case "planned": {
      const rungs = Object.fromEntries((data.rungs ?? []).map((rung) => [rung, live.rungs[rung] ?? 0]));
      return { record: forward(record, "processing"), live: { ...live, rungs }, fetch: false };
    }
    case "rung_completed":
      return { record, live: { ...live, rungs: { ...live.rungs, [data.resolution]: 100 } }, fetch: true };
    case "playable":
      return { record: forward(record, "playable"), live, fetch: true };
    case "completed":
      return { record: forward(record, "completed"), live: { ...live, percent: 100 }, fetch: true };
    case "published":
      return { record: { ...record, root_cid: data.root_cid }, live, fetch: true };
    case "pinned":
      return { record: { ...record, pins: pinned(record.pins ?? [], data) }, live, fetch: true };
    case "failed":
      return { record: at("failed", { error: data }), live, fetch: true };
    case "cancelled":
      return { record: at("cancelled"), live, fetch: true };
    case "retried":
      // A completed one stays so: only its poster or pins are tried again.
      if (record.upload_status === "completed") return { record, live, fetch: true };
      return { record: at("processing", { error: null }), live: NO_LIVE, fetch: true };
    case "deleted":
      return { record: at("deleted"), live, fetch: false };
    default: // rung_added, and whatever a newer server tells
      return { record, live, fetch: name === "rung_added" };
  }
}

function forward(record, upload_status) {
  return ORDER.indexOf(upload_status) > ORDER.indexOf(record.upload_status) ? { ...record, upload_status } : record;
}

function pinned(pins, { target, cid }) {
  const done = { target, cid, state: "pinned" };
  return pins.some((pin) => pin.target === target && pin.cid === cid)
    ? pins.map((pin) => (pin.target === target && pin.cid === cid ? done : pin))
    : [...pins, done];
}

const NAMES = {
  pending: "Waiting for the file",
  uploaded: "Uploaded",
  processing: "Processing",
  playable: "Playable",
  completed: "Ready",
  failed: "Failed",
  cancelled: "Cancelled",
  deleted: "Deleted",
};

/** A state in one or two words. */
export function stateName(record) {
  return NAMES[record.upload_status] ?? record.upload_status;
}

/** A state in a sentence; the percentage stands beside it. */
export function stateSentence(record) {
  switch (record.upload_status) {
    case "pending":
      return "Waiting for the file. If nobody is uploading it any more, delete this video and upload it again.";
    case "uploaded":
      return "The file has arrived. Work on it begins in a moment.";
    case "processing":
      return "The video is being prepared. You can watch it as soon as the first size is done.";
    case "playable":
      return "You can watch it now. More sizes are on their way.";
    case "completed":
      return "All sizes are ready.";
    case "cancelled":
      return isPlayable(record) ? "What was ready by then can be watched." : "Nothing was ready by then. Retry to prepare it after all.";
    case "deleted":
      return "This video was deleted.";
    default:
      return "";
  }
}

/** An event in a few words, for the list of steps; `roots` are the folders that were published so far. */
export function eventWords(name, data = {}, roots = []) {
  switch (name) {
    case "uploaded":
      return "File arrived";
    case "probed":
      return data.width ? `Probed: ${data.width}×${data.height}` : "Probed";
    case "planned":
      return `Planned ${list([...(data.rungs ?? []), ...(data.audio ? ["audio"] : [])])}`;
    case "playable":
      return "Can be played";
    case "rung_added":
      return `${data.resolution ?? "A size"} can be played`;
    case "rung_completed":
      return `${data.resolution === "audio" ? "Audio" : (data.resolution ?? "A size")} done`;
    case "completed":
      return "All sizes done";
    case "published":
      return "Published as one IPFS folder";
    case "pinned":
      return `Pinned the ${roots.includes(data.cid) ? "folder" : "original"}${!data.target || data.target === "node" ? "" : ` on ${data.target}`}`;
    case "failed":
      return "Failed";
    case "cancelled":
      return "Cancelled";
    case "retried":
      return "Tried again";
    case "deleted":
      return "Deleted";
    default:
      return name;
  }
}

function list(words) {
  return words.length > 0 ? words.join(", ") : "the work";
}
