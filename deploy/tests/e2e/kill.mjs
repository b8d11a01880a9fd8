// Kills in the middle of a transcode: the server alone, then everything at once. The video completes
// all the same, once.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import test from 'node:test'
import { Api } from './lib/api.mjs'
import { Bucket } from './lib/bucket.mjs'
import { follow } from './lib/feed.mjs'
import { clip, frames } from './lib/media.mjs'
import { download } from './lib/published.mjs'
import { Server, alive, dataFolder, freeListeners } from './lib/server.mjs'
import { until } from './lib/until.mjs'

const RATE = 30
const SECONDS = 60

test('a transcode survives SIGKILL of the server, and of everything', { timeout: 900_000 }, async t => {
  const folder = await dataFolder(t)
  const film = join(folder, 'long.mp4')
  await clip(film, { size: '1280x720', rate: RATE, seconds: SECONDS })
  const settings = { data: join(folder, 'data'), listeners: await freeListeners() }
  let server = await Server.start(settings)
  const api = new Api(server.url)
  const { id } = await api.upload(film)
  const percent = async () => (await api.json('GET', `/video/${id}/progress`)).percent

  await t.test('what the server started dies with it', async () => {
    await until('ffmpeg is at work', async () => await percent() > 3, { within: 120_000 })
    const below = await server.descendants()
    assert.ok(below.length > 1, 'PostgreSQL and ffmpeg run below it')
    await server.killServer()
    await until('nothing of it runs', async () => (await alive(below)).length === 0, { within: 15_000 })
  })

  await t.test('the next start goes on, and is killed with all its children', async () => {
    server = await Server.start(settings)
    const record = await api.json('GET', `/video/${id}`)
    assert.ok(['uploaded', 'processing', 'playable'].includes(record.upload_status), record.upload_status)
    // Something of this run must be under way, which a lease that the dead one held may delay.
    await until('ffmpeg is at work again', async () => (await server.descendants()).length > 1 && await percent() > 8, { within: 180_000 })
    assert.notEqual((await api.json('GET', `/video/${id}`)).upload_status, 'completed', 'killed in the middle')
    const pids = await server.killAll()
    await until('nothing of it runs', async () => (await alive(pids)).length === 0, { within: 15_000 })
  })

  await t.test('the start after that completes the video, once', { timeout: 600_000 }, async () => {
    server = await Server.start(settings)
    const { events } = await follow(server.url, { video: id }, event => event.name === 'completed')
    assert.deepEqual(events.map(event => event.seq), events.map((_, i) => i + 1))
    const record = await until('every pin', async () => {
      const now = await api.json('GET', `/video/${id}`)
      return now.pins.length > 0 && now.pins.every(pin => pin.state === 'pinned') && now
    }, { within: 60_000 })
    const { events: all } = await api.json('GET', `/video/${id}/events?since=0`)
    for (const name of ['uploaded', 'probed', 'planned', 'playable', 'completed']) {
      assert.equal(all.filter(event => event.name === name).length, 1, `${name} once in ${all.map(event => event.name)}`)
    }
    const renditions = record.renditions.map(one => `${one.format} ${one.resolution}`)
    assert.equal(new Set(renditions).size, renditions.length, `${renditions}`)
    for (const one of record.renditions.filter(one => one.resolution !== 'audio')) {
      assert.equal(await frames(one.url), RATE * SECONDS, `${one.format} ${one.resolution}`)
    }
    const published = await download(record.playback.hls)
    const { segments } = await api.json('GET', `/video/${id}/segments`)
    const places = segments.map(segment => `${segment.resolution} ${segment.sequence}`)
    assert.equal(new Set(places).size, places.length, 'no segment twice')
    const bucket = await Bucket.of(server)
    for (const [path, bytes] of Object.entries(published.files)) {
      if (path !== 'master.m3u8') assert.ok(bytes.equals(await bucket.object(`media/${id}/${path}`)), path)
    }
  })

  await t.test('a start after the end has nothing to do, and is fast', async () => {
    const before = await api.json('GET', `/video/${id}/events?since=0`)
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    server = await Server.start(settings)
    t.diagnostic(`second start: ${server.startMs} ms`)
    assert.deepEqual(await api.json('GET', `/video/${id}/events?since=0`), before)
    assert.equal(await percent(), 100)
  })
})
