// VMAF and bit rate of a part of a rendition, frame by frame against the source.

import { execFileSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { availableParallelism, cpus } from 'node:os'
import { join } from 'node:path'
import { ask } from './ask.mjs'

/** The part that is looked at where the film is long enough, seconds: whole GOPs of 2 s. */
const PART = { from: 12, to: 20 }

/** Both are taken for the same colours: newer ffmpegs convert between what is tagged and what is not, by which VMAF falls by 3 to 4. */
const SAME = 'setparams=range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709'

/** The ffmpeg that has libvmaf, or null: REELPIN_VMAF_FFMPEG, else the installed one. */
export function vmafProgram () {
  for (const program of [process.env.REELPIN_VMAF_FFMPEG, 'ffmpeg']) {
    if (!program) continue
    try {
      const filters = execFileSync(program, ['-v', 'quiet', '-filters'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
      if (/ libvmaf /.test(filters)) return program
    } catch {}
  }
  return null
}

/** Which seconds of a film are looked at. */
export function partOf (film) {
  return film.seconds >= PART.to ? PART : { from: 0, to: Math.floor(film.seconds / 2) * 2 || film.seconds }
}

/**
 * `{ vmaf, rate }` of an MP4 against the film scaled to its size by Lanczos (which no encode here uses):
 * the mean over the part's frames, and its kbit/s. Both files have the same frames; `starts` is the second of
 * the film at which the MP4 begins.
 */
export async function quality (program, mp4, film, part, folder, starts = 0) {
  const { streams: [size] } = JSON.parse(await ask('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'json', mp4]))
  const frame = second => Math.round(second * film.rate)
  const cut = from => `${SAME},trim=start_frame=${frame(part.from - from)}:end_frame=${frame(part.to - from)},setpts=N/(${film.rate}*TB)`
  const log = join(folder, 'vmaf.json')
  const threads = availableParallelism?.() ?? cpus().length
  const graph = `[0:v]${cut(starts)},format=yuv420p[made];[1:v]${cut(0)},scale=${size.width}:${size.height}:flags=lanczos,format=yuv420p[film];` +
    `[made][film]libvmaf=log_fmt=json:log_path=vmaf.json:n_threads=${threads}`
  await ask(program, ['-nostdin', '-v', 'error', '-i', mp4, '-t', `${part.to + 1}`, '-i', film.path, '-filter_complex', graph, '-f', 'null', '-'], folder)
  const { frames, pooled_metrics: pooled } = JSON.parse(await readFile(log, 'utf8'))
  const wanted = frame(part.to) - frame(part.from)
  if (frames.length !== wanted) throw new Error(`VMAF saw ${frames.length} frames of ${mp4}, not ${wanted}`)
  return { ...size, vmaf: pooled.vmaf.mean, rate: await rate(mp4, { from: part.from - starts, to: part.to - starts }) }
}

/** kbit/s of the picture's packets that are shown in the part. */
async function rate (mp4, part) {
  const stdout = await ask('ffprobe', ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'packet=pts_time,size', '-of', 'csv=p=0', mp4])
  let bits = 0
  for (const line of stdout.trim().split('\n')) {
    const [at, size] = line.split(',').map(Number)
    // A millisecond, for times that were rounded.
    if (at >= part.from - 0.001 && at < part.to - 0.001) bits += size * 8
  }
  return bits / (part.to - part.from) / 1000
}
