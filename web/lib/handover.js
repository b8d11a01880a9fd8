/**
 * Gives a playing element to another hls.js, which knows more rungs, without a break: what is buffered stays in the same
 * source buffers, so position, volume, rate and play state cannot be lost. hls.js has no way to add a rung to one that plays.
 */

/** Seconds ahead of the playhead that are kept as they are: time enough to fetch the first segment of a higher rung. */
const KEPT = 4;
/** Less than this much of a lower rung beyond them is watched rather than fetched again. */
const WORTH = 1;
/** Into the last segment that is buffered, where nothing is fetched again. */
const BEFORE = 0.05;
/** For playlists to answer, and for buffers to be cleared. */
const READY_MS = 10_000;
const FLUSH_MS = 2_000;

/**
 * Loads `address` beside `old` and hands `video` over once its playlists are there and `worth(levels)` says so. Resolves to
 * the new hls.js, or to null where `old` goes on. `make(config)` makes one whose listeners are its maker's.
 */
export async function handOver({ Hls, old, make, address, video, worth }) {
  // Playlists only: the media still belongs to the other.
  const next = make({ autoStartLoad: false, startFragPrefetch: false, testBandwidth: false, abrEwmaDefaultEstimate: old.bandwidthEstimate });
  if (!(await prepared(Hls, next, address, video, worth)) || old.media !== video || video.ended || video.seeking) {
    next.destroy();
    return null;
  }
  old.stopLoad();
  const point = joint(old, next, video);
  if (point.flush) await flushed(Hls, old, point.at);
  // Somebody may have closed the player meanwhile.
  if (old.media !== video) {
    next.destroy();
    return null;
  }
  const media = old.transferMedia();
  old.destroy();
  next.attachMedia(media);
  next.startLoad(point.at, true);
  return next;
}

/** Resolves to true once `next` has a level's and the sound's playlist. */
function prepared(Hls, next, address, video, worth) {
  return new Promise((resolve) => {
    const wanted = new Set([Hls.Events.LEVEL_LOADED]);
    const done = (well) => {
      clearTimeout(timer);
      resolve(well);
    };
    const timer = setTimeout(done, READY_MS, false);
    const came = (event) => wanted.delete(event) && wanted.size === 0 && done(true);
    next.once(Hls.Events.MANIFEST_PARSED, (_, { audioTracks }) => {
      if (!worth(next)) return done(false);
      if (audioTracks.some(({ url }) => url)) wanted.add(Hls.Events.AUDIO_TRACK_LOADED);
      next.startLoad(video.currentTime, true);
    });
    next.on(Hls.Events.LEVEL_LOADED, came);
    next.on(Hls.Events.AUDIO_TRACK_LOADED, came);
    next.on(Hls.Events.ERROR, (_, { fatal }) => fatal && done(false));
    next.loadSource(address);
  });
}

/** From where the new one loads: `{at, flush}`; with `flush`, what is buffered from there on is of a lower rung and goes. */
function joint(old, next, video) {
  const { currentTime, buffered } = video;
  let end = currentTime;
  for (let n = 0; n < buffered.length; n += 1) if (buffered.start(n) <= currentTime) end = Math.max(end, buffered.end(n));
  const higher = height(next, next.loadLevel) > height(old, old.loadLevel);
  const cut = next.levels[next.loadLevel]?.details?.fragments.find(({ start }) => start >= currentTime + KEPT && start < end - WORTH);
  return higher && cut ? { at: cut.start, flush: true } : { at: Math.max(currentTime, end - BEFORE), flush: false };
}

function height(hls, level) {
  return hls.levels[level]?.height ?? 0;
}

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
