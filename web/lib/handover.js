/**
 * Gives a playing element to another hls.js, which knows more rungs, without a break: what is buffered stays in the same
 * source buffers, so position, volume, rate and play state cannot be lost. hls.js has no way to add a rung to one that plays.
 */

/** Seconds ahead of the playhead that are kept as they are: time enough to fetch the second segment of a higher rung. */
const KEPT = 4;
/** Less than this much of a lower rung beyond them is watched rather than fetched again. */
const WORTH = 1;
/** Into the last segment that is buffered, so that the first one fetched is that one: a later one may not exist yet. */
const BEFORE = 0.05;
/** For playlists and the first segment to come, and for buffers to be cleared. */
const READY_MS = 15_000;
const FLUSH_MS = 2_000;

/**
 * Loads `address` beside `old`, which plays on `video`, up to its first segment; hands the element over then, unless `worth`
 * says no to the new one when its levels are known. Resolves to the new hls.js, or to null where `old` goes on. `make(config)`
 * makes one whose listeners are its maker's.
 */
export async function handOver({ Hls, old, make, address, video, worth }) {
  const next = make({ autoStartLoad: false, startFragPrefetch: true, testBandwidth: false, abrEwmaDefaultEstimate: old.bandwidthEstimate });
  const point = joint(old, video);
  const ready = await prepared(Hls, next, address, point, worth);
  if (!ready || !free(old, video, point)) return dropped(next);
  old.stopLoad();
  await flushed(Hls, old, point.at);
  // Somebody may have sought or closed the player meanwhile.
  if (old.media !== video) return dropped(next);
  const media = old.transferMedia();
  old.destroy();
  next.attachMedia(media);
  next.startLoad(point.at, true);
  return next;
}

/** From where the new one loads: a cut with some seconds in hand, or the end of what is buffered. */
function joint(old, video) {
  const { currentTime, buffered } = video;
  let end = currentTime;
  for (let n = 0; n < buffered.length; n += 1) if (buffered.start(n) <= currentTime) end = Math.max(end, buffered.end(n));
  const cut = old.levels[old.loadLevel]?.details?.fragments.find(({ start }) => start >= currentTime + KEPT && start < end - WORTH);
  return { at: cut ? cut.start : Math.max(currentTime, end - BEFORE), from: currentTime };
}

/** Whether the element is still where the joint was made for. */
function free(old, video, { at, from }) {
  return old.media === video && !video.ended && !video.seeking && video.currentTime >= from && video.currentTime <= at + BEFORE;
}

function dropped(hls) {
  hls.destroy();
  return null;
}

/** Resolves to true once `next` has the first segment of picture and sound in hand. */
function prepared(Hls, next, address, point, worth) {
  return new Promise((resolve) => {
    const wanted = new Set(["main"]);
    const done = (well) => {
      clearTimeout(timer);
      resolve(well);
    };
    const timer = setTimeout(done, READY_MS, false);
    next.once(Hls.Events.MANIFEST_PARSED, (_, { audioTracks }) => {
      if (!worth(next)) return done(false);
      if (audioTracks.some(({ url }) => url)) wanted.add("audio");
      next.startLoad(point.at);
    });
    next.on(Hls.Events.FRAG_PARSED, (_, { frag }) => wanted.delete(frag.type) && wanted.size === 0 && done(true));
    next.on(Hls.Events.ERROR, (_, { fatal }) => fatal && done(false));
    next.loadSource(address);
  });
}

/** Clears what is buffered beyond `from`: a lower rung, which would be shown for minutes, and of which no end is known. */
function flushed(Hls, hls, from) {
  return new Promise((resolve) => {
    const wanted = new Set(["video", "audio"]);
    const timer = setTimeout(resolve, FLUSH_MS);
    hls.on(Hls.Events.BUFFER_FLUSHED, (_, { type }) => {
      wanted.delete(type);
      if (wanted.size > 0) return;
      clearTimeout(timer);
      resolve();
    });
    for (const type of [...wanted]) hls.trigger(Hls.Events.BUFFER_FLUSHING, { startOffset: from, endOffset: Infinity, type });
  });
}
