/** The little that the page reads of playlists itself: which rungs a master lists, and how much a media playlist has. Pure. */

/** The variants of a master: `{url, height, rate}` with absolute URLs and bits per second, the lowest rate first. */
export function variants(text, base) {
  const lines = text.split(/\r?\n/);
  return lines.flatMap((line, n) => {
    if (!line.startsWith("#EXT-X-STREAM-INF:")) return [];
    const [, width, height] = /RESOLUTION=(\d+)x(\d+)/.exec(line) ?? [null, 0, 0];
    const rate = Number(/[:,]BANDWIDTH=(\d+)/.exec(line)?.[1] ?? 0);
    return [{ url: new URL(lines[n + 1], base).href, height: Math.min(width, height), rate }];
  }).sort((a, b) => a.rate - b.rate);
}

/** `{ready, ended, target}` of a media playlist: seconds that exist, whether that is all, the target duration. */
export function listed(text) {
  let ready = 0;
  for (const [, seconds] of text.matchAll(/^#EXTINF:([\d.]+)/gm)) ready += Number(seconds);
  return { ready, ended: /^#EXT-X-ENDLIST/m.test(text), target: Number(/^#EXT-X-TARGETDURATION:(\d+)/m.exec(text)?.[1] ?? 0) };
}
