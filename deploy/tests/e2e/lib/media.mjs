// Makes clips and looks at what came out, with the ffmpeg of this machine.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
/** For any one run, milliseconds. */
const LIMIT = 300_000

/** A moving test picture, with a tone unless `sound` is false. */
export async function clip (file, { size = '1920x1080', rate = 30, seconds = 10, sound = true }) {
  const tone = sound ? ['-f', 'lavfi', '-i', `sine=frequency=440:sample_rate=48000:duration=${seconds}`, '-c:a', 'aac', '-ac', '2'] : []
  await run('ffmpeg', ['-v', 'error', '-nostdin', '-y', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=${rate}:duration=${seconds}`,
    ...tone, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-movflags', '+faststart', file], { timeout: LIMIT })
}

/** ffprobe's JSON of what `entries` names; `source` is a file or a URL. */
export async function probe (source, entries, ...more) {
  const { stdout } = await run('ffprobe', ['-v', 'error', '-show_entries', entries, '-of', 'json', ...more, source], { timeout: LIMIT, maxBuffer: 64 << 20 })
  return JSON.parse(stdout)
}

/** Decodes the first picture stream to its end; how many frames came. */
export async function frames (source) {
  const { streams } = await probe(source, 'stream=nb_read_frames', '-count_frames', '-select_streams', 'v:0')
  return Number(streams[0].nb_read_frames)
}

/** Decodes everything; what ffmpeg complained about, empty when all is well. */
export async function complaints (source) {
  const { stderr } = await run('ffmpeg', ['-v', 'error', '-nostdin', '-i', source, '-map', '0:v:0?', '-map', '0:a:0?', '-f', 'null', '-'], { timeout: LIMIT })
  return stderr.trim()
}
