/** What the player says about a film that is still being made. Pure. */

import { percent } from "./format.js";
import { Problem } from "./problem.js";

/** The share of `duration` that is ready, as a whole percentage; 100 only when all of it is. */
export function share(ready, duration) {
  return duration > 0 ? percent((100 * ready) / duration) : 0;
}

export function preparing(ready, duration) {
  return `Still being prepared: ${share(ready, duration)} % ready`;
}

/** Seconds as "in about 40 s", rounded up so that the words neither flicker nor promise too much. */
export function inAbout(seconds) {
  if (seconds < 3) return "in a moment";
  if (seconds < 8) return "in a few seconds";
  if (seconds <= 60) return `in about ${Math.ceil(seconds / 5) * 5} s`;
  if (seconds < 5400) return `in about ${Math.ceil(seconds / 60)} min`;
  return `in about ${Math.ceil(seconds / 3600)} h`;
}

/**
 * Why it does not play yet, or no more: `{title, detail}`. `decision` is the gate's; where it would let the film play, the
 * next part is on its way.
 */
export function waitWords(decision, { ready, duration, speed }) {
  const part = `${share(ready, duration)} % is ready.`;
  if (decision.go) return { title: "The next part is nearly ready", detail: part };
  const slow = speed !== null && speed < 0.93 ? ` Preparing it takes ${took(1 / speed)} times as long as watching it.` : "";
  const title = decision.seconds === null ? "The next part is being prepared" : `Ready to watch without a pause ${inAbout(decision.seconds)}`;
  return { title, detail: part + slow };
}

function took(seconds) {
  return seconds < 10 ? seconds.toFixed(1) : String(Math.round(seconds));
}

/** Why a film ends before its end: `{title, detail}`, or null where it does not. */
export function cutShort(record) {
  if (record.upload_status === "cancelled") return { title: "That is all there is", detail: "The preparation was cancelled, so the rest is missing." };
  if (record.upload_status !== "failed") return null;
  return { title: "That is all there is", detail: `The rest could not be prepared. ${new Problem(record.error ?? { detail: "" }).words}`.trim() };
}
