// REAL: one film through the product, from an empty data folder to `completed`.

import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { watch } from './machine.mjs'
import { Memory, cpuSeconds } from './proc.mjs'
import { Reelpin } from './reelpin.mjs'
import { below } from './stored.mjs'

/** How long the pins may take after `completed`, milliseconds. */
const PINS = 600_000

/**
 * CPU is that of `reelpin serve`, its PostgreSQL and ffmpeg, counted from the end of the upload, just before
 * it is said to be complete, until `completed` was heard; what pins take after that is told apart.
 * With `keep`, the MP4s are put into `folder` under the names of their rungs.
 */
export function real (film, folder, { keep = false } = {}) {
  return until('completed', film, folder, async (reelpin, id, counted) => {
    const record = await pinned(reelpin, id)
    const pins = cpuSeconds(...reelpin.roots) - counted
    if (keep) await download(record, folder)
    return {
      pins,
      stored: stored(reelpin.data, record, film),
      rungs: record.renditions.map(({ format, resolution, type, bitrate, peak_bitrate: peak, size }) => ({ format, resolution, type, bitrate, peak, size }))
    }
  })
}

/** The same until `playable`, and no further: the rest of a long film tells nothing about its beginning. */
export function first (film, folder) {
  return until('playable', film, folder, async () => ({}))
}

/** What is measured until the event `last`, and what `after` makes of the server that still runs and the CPU seconds so far. */
async function until (last, film, folder, after) {
  const reelpin = await Reelpin.start(folder)
  try {
    const id = await reelpin.put(film)
    await sleep(1000)
    const others = watch()
    const memory = new Memory(...reelpin.roots)
    const before = cpuSeconds(...reelpin.roots)
    await reelpin.complete(id)
    const events = await reelpin.follow(id, event => event.name === last)
    const counted = cpuSeconds(...reelpin.roots)
    const cpu = counted - before
    const when = name => Date.parse(events.find(event => event.name === name).at) / 1000
    return {
      cpu,
      wall: when(last) - when('uploaded'),
      playable: when('playable') - when('uploaded'),
      memory: memory.stop(),
      machine: others(cpu),
      ...await after(reelpin, id, counted)
    }
  } finally {
    await reelpin.stop()
  }
}

/** The record, once everything that is to be pinned is. */
async function pinned (reelpin, id) {
  const deadline = Date.now() + PINS
  for (;;) {
    const record = await reelpin.api.json('GET', `/video/${id}`)
    if (record.root_cid && record.pins.length > 0 && record.pins.every(pin => pin.state === 'pinned')) return record
    if (Date.now() > deadline) throw new Error(`not pinned in time: ${JSON.stringify(record.pins)}`)
    await sleep(200)
  }
}

/** Bytes written, and how often each byte of a rendition lies where. The original is not counted in the bucket. */
function stored (data, record, film) {
  const sum = format => record.renditions.filter(one => one.format === format).reduce((all, one) => all + one.size, 0)
  const [hls, mp4] = [sum('hls'), sum('mp4')]
  const bucket = below(join(data, 's3')) - film.bytes
  const ipfs = below(join(data, 'ipfs'))
  return { hls, mp4, bucket, ipfs, written: (hls + mp4) / hls, bucketPerByte: bucket / (hls + mp4), ipfsPerByte: ipfs / (hls + mp4) }
}

async function download (record, folder) {
  for (const { format, resolution, url } of record.renditions) {
    if (format !== 'mp4') continue
    const answer = await fetch(url)
    if (!answer.ok) throw new Error(`${url}: ${answer.status}`)
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(join(folder, `${resolution}.mp4`)))
  }
}
