// The films that are measured: those that were named, or two that are made once and kept.

import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, rename, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { ask } from './ask.mjs'
import { Stop, step, tell } from './say.mjs'

/** The real film, as the folder of REELPIN_TEST_MEDIA calls it. */
const BUNNY = 'bbb_480p_30s.mp4'

/** Width and height that the references are made for. */
const SIZE = { width: 1920, height: 1080 }

/** 30 s so often are 10 min. */
const TIMES = 20

/** Pixels are square, or a pipeline that honours them would make another size. */
const GRAIN = 'scale=1920:1080,setsar=1,noise=alls=4:allf=t'
const PATTERN = ['-f', 'lavfi', '-i', 'mandelbrot=size=854x480:rate=24:end_scale=0.002:end_pts=720', '-f', 'lavfi', '-i',
  `aevalsrc=${[440, 550, 660, 80, 330, 495].map(hertz => `0.2*sin(${hertz}*2*PI*t)`).join('|')}:c=5.1:s=48000`, '-t', '30']

/** What is made when no film is named: `{ path, name, seconds, about }` of 30 s. */
export async function short (folder) {
  const media = process.env.REELPIN_TEST_MEDIA
  const bunny = media && join(resolve(media), BUNNY)
  const real = bunny && existsSync(bunny)
  const input = real ? ['-i', bunny] : PATTERN
  const about = real ? 'Big Buck Bunny 480p, enlarged to 1080p, with grain' : 'a Mandelbrot zoom at 480p, enlarged to 1080p, with grain'
  return make(folder, 'film-30s', about, [...input, '-vf', GRAIN, '-map', '0:v', '-map', real ? '0:a' : '1:a',
    '-c:v', 'libx264', '-preset', 'veryfast', '-crf', '18', '-g', '250', '-pix_fmt', 'yuv420p', '-c:a', 'aac'])
}

/** The film of 30 s, 20 times, by copying. */
export async function tenMinutes (folder, film) {
  return { ...await repeated(folder, film, 'film-10min', TIMES), of: film }
}

/** The film of 30 s, 10 times: as long as what two workers share must be. */
export function fiveMinutes (folder, film) {
  return repeated(folder, film, 'film-5min', TIMES / 2)
}

/**
 * The film as an upload that could be kept as it is: H.264 below the cap of the top rung, a key frame
 * every 2 s, closed, stereo.
 */
export async function conforming (folder, film) {
  if (film.of) return repeated(folder, await conforming(folder, film.of), `${film.name}-conforming`, TIMES)
  return make(folder, `${film.name}-conforming`, `${film.about}; H.264 below 4.8 Mbit/s with a key frame every 2 s`, [
    '-i', film.path, '-map', '0:v', '-map', '0:a', '-c:v', 'libx264', '-preset', 'medium', '-crf', '20', '-maxrate', '4500k', '-bufsize', '4500k',
    '-force_key_frames', 'expr:gte(t,n_forced*2)', '-sc_threshold', '0', '-g', '1000', '-c:a', 'aac', '-ac', '2', '-b:a', '128k', '-movflags', '+faststart'])
}

/** 10 min and 2 h of the same film, at a rate that keeps the second below 5 GiB and the first worth encoding. */
export async function long (folder, film) {
  const slow = await make(folder, `${film.name}-5500k`, `${film.about}; at 5.5 Mbit/s`, ['-i', film.path, '-map', '0:v', '-map', '0:a',
    '-t', '30', '-c:v', 'libx264', '-preset', 'medium', '-b:v', '5400k', '-minrate', '5400k', '-maxrate', '5400k', '-bufsize', '5400k', '-nal-hrd', 'cbr',
    '-g', '250', '-c:a', 'aac', '-ac', '2', '-b:a', '96k'])
  return [await repeated(folder, slow, 'slow-10min', TIMES), await repeated(folder, slow, 'slow-2h', 12 * TIMES)]
}

/** A film that was named. */
export async function named (path) {
  const film = await look(resolve(path), basename(path).replace(/\.[^.]*$/, ''), 'a file that was named')
  if (film.width !== SIZE.width || film.height !== SIZE.height) {
    throw new Stop(`${path} is ${film.width}x${film.height}; the references are made for ${SIZE.width}x${SIZE.height}.`)
  }
  return film
}

async function repeated (folder, film, name, times) {
  const list = join(folder, `${name}.txt`)
  await mkdir(folder, { recursive: true })
  await writeFile(list, `file '${film.path}'\n`.repeat(times))
  return make(folder, name, `${film.about}; ${times} times by copying`,
    ['-f', 'concat', '-safe', '0', '-i', list, '-map', '0', '-c', 'copy', '-movflags', '+faststart'])
}

/** The name tells the recipe, so that another one makes another file. */
async function make (folder, name, about, recipe) {
  await mkdir(folder, { recursive: true })
  const mark = createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 8)
  const path = join(folder, `${name}-${mark}.mp4`)
  if (!existsSync(path)) {
    step(`Making a source: ${name}`)
    const draft = `${path}.draft`
    await ask('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...recipe, '-map_metadata', '-1', '-f', 'mp4', draft])
    await rename(draft, path)
  }
  const film = await look(path, name, about)
  tell(`${name}: ${about}; ${film.seconds.toFixed(1)} s, ${(film.bytes / 1e6).toFixed(1)} MB`)
  return film
}

async function look (path, name, about) {
  const { size } = await stat(path).catch(() => { throw new Stop(`There is no file to read at: ${path}`) })
  const stdout = await ask('ffprobe', ['-v', 'error', '-show_entries', 'format=duration:stream=codec_type,width,height,r_frame_rate', '-of', 'json', path])
  const { format, streams } = JSON.parse(stdout)
  const video = streams.find(one => one.codec_type === 'video')
  if (!video || !streams.some(one => one.codec_type === 'audio')) throw new Stop(`${path} lacks a picture or sound; the references want both.`)
  const [frames, per] = video.r_frame_rate.split('/').map(Number)
  return { path, name, about, bytes: size, seconds: Number(format.duration), width: video.width, height: video.height, rate: frames / per }
}
