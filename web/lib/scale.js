/** The player's own scale: the whole film from its planned length, of which a part can be watched. Pure; seconds. */

import { clock } from "./format.js";

/** How far before the end of a growing film a seek may lead, so that there is something to see. */
const MARGIN = 1;

/** The film's length: what was planned, else what the player knows; 0 while nobody does. */
export function total(planned, known) {
  if (planned > 0) return planned;
  return Number.isFinite(known) && known > 0 ? known : 0;
}

/** Where a wish to be at `to` leads: within what exists, which ends at `end`. */
export function within(to, end, ended) {
  return Math.max(0, Math.min(to, ended ? end : end - MARGIN));
}

/** A time's place on the scale, 0 to 1. */
export function place(seconds, length) {
  return length > 0 ? Math.min(1, Math.max(0, seconds / length)) : 0;
}

/** A time on the scale: begun is not done, so it is rounded down. */
export function stamp(seconds, length) {
  const whole = Math.floor(Math.min(seconds, length || seconds) + 0.01);
  return whole < 1 ? "0:00" : clock(whole);
}

/** The position for screen readers: "0:12 of 1:00, ready up to 0:24". */
export function spoken(position, ready, length) {
  const words = `${stamp(position, length)} of ${clock(length)}`;
  return ready < length - 0.5 ? `${words}, ready up to ${stamp(ready, length)}` : words;
}
