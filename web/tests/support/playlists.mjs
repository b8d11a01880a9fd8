/** Growing playlists as the gateway renders them: EVENT, from the start, ENDLIST when nothing more comes. Pure. */

const START = "#EXT-X-START:TIME-OFFSET=0.001,PRECISE=YES";
const TARGET = 6;

/** The master of these rungs with this sound; `rate` is in bits per second. */
export function master(rungs, audio) {
  const lines = rungs.flatMap(({ name, rate, codec, width, height }) => {
    const cap = Math.round(1.2 * (rate + audio.rate));
    return [`#EXT-X-STREAM-INF:BANDWIDTH=${cap},AVERAGE-BANDWIDTH=${cap},CODECS="${codec},${audio.codec}",RESOLUTION=${width}x${height},FRAME-RATE=24.000,VIDEO-RANGE=SDR,CLOSED-CAPTIONS=NONE,AUDIO="a"`, `${name}/live.m3u8`];
  });
  return text("#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS", START,
    '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="main",LANGUAGE="und",DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="audio/live.m3u8"', ...lines);
}

/** A media playlist of `{seconds}` each, as `0.m4s` and on. */
export function media(segments, { ended }) {
  const lines = segments.flatMap(({ seconds }, n) => [`#EXTINF:${seconds.toFixed(5)},`, `${n}.m4s`]);
  return text("#EXTM3U", "#EXT-X-VERSION:7", `#EXT-X-TARGETDURATION:${TARGET}`, "#EXT-X-PLAYLIST-TYPE:EVENT", START, "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-INDEPENDENT-SEGMENTS", '#EXT-X-MAP:URI="init.mp4"', ...lines, ...(ended ? ["#EXT-X-ENDLIST"] : []));
}

function text(...lines) {
  return `${lines.join("\n")}\n`;
}
