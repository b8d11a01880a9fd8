/** When a film that is still being made may begin to play, so that it does not have to stop again. Pure; all times in seconds. */

/** The plan's grid: the lengths of the first segments, and of all others unless the playlist says otherwise. */
const GRID = [2, 2, 2, 2, 4, 4];
const REST = 6;
/** Film seconds per second from which nobody waits: what is missing comes faster than it is watched. */
const FAST = 2;
/** A segment can lie this long before a player has heard of it, in target durations. */
const UNSEEN = 0.5;
/** So long after its first part a film of which nothing more came is not begun, unless this much of it is ahead. */
const SILENCE = 2.5;
const PLENTY = 12;
/** Less than a frame, as sums of rounded durations go. */
const NEARLY = 0.05;

/** The ends of the segments after `ready`, by the plan's grid; the last is `duration`. */
export function cutsAfter(ready, duration, grid = GRID, rest = REST) {
  const cuts = [];
  for (let n = 0, cut = 0; cut < duration; n += 1) {
    cut = Math.min(duration, cut + (grid[n] ?? rest));
    if (cut > ready + NEARLY) cuts.push(cut);
  }
  return cuts;
}

/**
 * Seconds from now until playing from `position` would meet each segment when it is there; negative where there is time
 * to spare. `ready` of `duration` exists, at `speed` film seconds per second, and the last of it came `since` seconds ago.
 */
export function shortage({ ready, duration, position = 0, speed, since = 0, cuts = cutsAfter(ready, duration) }) {
  let longest = -Infinity;
  let from = ready;
  for (const cut of cuts) {
    const comes = Math.max(0, (cut - ready) / speed - since);
    longest = Math.max(longest, comes - (from - position));
    from = cut;
  }
  return longest;
}

/**
 * Whether playing may begin at `position`: `{go: true}`, or `{go: false, seconds}` until it may; null seconds are not known
 * yet. `speed` is null while nothing is known of it, `watched` says for how long the growth has been looked at, and `target`
 * is the playlist's target duration.
 */
export function gate({ ready, duration, position = 0, ended = false, speed = null, since = 0, watched = 0, target = REST }) {
  if (ended || !(ready < duration - NEARLY)) return { go: true };
  if (speed === null) return watched < SILENCE || ready - position >= PLENTY ? { go: true } : { go: false, seconds: null };
  if (speed >= FAST) return { go: true };
  const cuts = cutsAfter(ready, duration, GRID, target);
  const seconds = shortage({ ready, duration, position, speed, since, cuts }) + UNSEEN * target;
  return seconds > 0 ? { go: false, seconds } : { go: true };
}
