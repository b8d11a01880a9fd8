/**
 * A film in pieces, as a transcoder would store them: fMP4 rungs with a key frame every 2 s and sound of its own, cut at
 * the last AAC frame that ends at or before each cut of the picture. Made by this machine's ffmpeg.
 */

import { execFile } from "node:child_process";
import fs from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
/** For any one run, milliseconds. */
const LIMIT_MS = 300_000;
/** Between key frames, seconds. */
const PIECE = 2;
const RATE = 24;
/** Samples of an AAC frame, and in a second. */
const AAC = 1024;
const SAMPLE_RATE = 48_000;
/** The first segments' lengths in seconds, and that of all others. */
const GRID = [2, 2, 2, 2, 4, 4];
const REST = 6;

/** The cuts of the picture from 0 to `seconds`, which is even. */
export function cuts(seconds) {
  const all = [0];
  for (let n = 0; all.at(-1) < seconds; n += 1) all.push(Math.min(seconds, all.at(-1) + (GRID[n] ?? REST)));
  return all;
}

/**
 * Makes `seconds` of film in `folder`. Each rung is `{name, width, height, rate}` (rate in bits per second). Returns
 * `{seconds, cuts, tracks}`: by name, "audio" among them, `{init, segments: [{bytes, seconds}], codec, ...rung}`; a poster.jpg
 * lies in the folder then.
 */
export async function film(folder, { seconds, rungs }) {
  const all = cuts(seconds);
  const tracks = new Map();
  for (const rung of rungs) tracks.set(rung.name, { ...rung, ...(await picture(folder, rung, seconds, all)) });
  tracks.set("audio", { name: "audio", rate: 96_000, codec: "mp4a.40.2", ...(await sound(folder, seconds, all)) });
  await ffmpeg("-ss", "3", "-i", path.join(folder, `${rungs.at(-1).name}.mp4`), "-frames:v", "1", path.join(folder, "poster.jpg"));
  return { seconds, cuts: all, tracks };
}

/** The time is written into the picture by its colours and counter; each rung has another tint, to tell them apart. */
async function picture(folder, { name, width, height, rate }, seconds, all) {
  const file = path.join(folder, `${name}.mp4`);
  await ffmpeg("-f", "lavfi", "-i", `testsrc2=size=${width}x${height}:rate=${RATE}:duration=${seconds}`,
    "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-b:v", String(rate), "-maxrate", String(rate), "-bufsize", String(rate),
    "-g", String(RATE * PIECE), "-keyint_min", String(RATE * PIECE), "-sc_threshold", "0", "-bf", "0",
    "-movflags", "+frag_keyframe+empty_moov+default_base_moof+cmaf", file);
  const { init, fragments } = pieces(await fs.readFile(file));
  const segments = all.slice(1).map((end, n) => ({
    seconds: end - all[n],
    bytes: Buffer.concat(fragments.slice(all[n] / PIECE, end / PIECE)),
  }));
  return { init, segments, codec: avc(init) };
}

/** A tone that changes, so that an ear would notice a jump. */
async function sound(folder, seconds, all) {
  const file = path.join(folder, "audio.mp4");
  await ffmpeg("-f", "lavfi", "-i", `aevalsrc=0.2*sin(2*PI*(220+20*floor(t))*t):s=${SAMPLE_RATE}:d=${seconds}`,
    "-c:a", "aac", "-b:a", "96k", "-ac", "2", "-movflags", "+frag_every_frame+empty_moov+default_base_moof+cmaf", file);
  const { init, fragments } = pieces(await fs.readFile(file));
  const ends = all.map((cut) => (cut === seconds ? fragments.length : Math.floor((cut * SAMPLE_RATE) / AAC)));
  const segments = ends.slice(1).map((end, n) => ({
    seconds: ((end - ends[n]) * AAC) / SAMPLE_RATE,
    bytes: Buffer.concat(fragments.slice(ends[n], end)),
  }));
  return { init, segments };
}

async function ffmpeg(...args) {
  await run("ffmpeg", ["-v", "error", "-nostdin", "-y", ...args], { timeout: LIMIT_MS });
}

/** The boxes before the first moof, and from there each moof with its mdat. */
function pieces(bytes) {
  const fragments = [];
  let init = null;
  let from = 0;
  for (let at = 0; at < bytes.length; ) {
    const size = bytes.readUInt32BE(at);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (type === "moof") init ??= bytes.subarray(0, (from = at));
    at += size;
    if (type === "mdat") {
      fragments.push(bytes.subarray(from, at));
      from = at;
    }
    if (type === "mfra") break;
  }
  return { init, fragments };
}

/** The codec's name in a playlist, from the avcC box. */
function avc(init) {
  const at = init.indexOf("avcC") + 4;
  return `avc1.${init.subarray(at + 1, at + 4).toString("hex")}`;
}
