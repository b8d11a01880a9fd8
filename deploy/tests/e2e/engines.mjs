// Everything on real engines at once: films go through an S3 server, Pulsar and a database of their
// own to two workers and two gateways, are pinned and read by their root; and each engine dies or
// goes away in the middle of a film. Wants the engines that `deploy/engines up` has started.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { Api } from './lib/api.mjs'
import { Bucket } from './lib/bucket.mjs'
import { engines, rows, settings } from './lib/engines.mjs'
import { follow } from './lib/feed.mjs'
import { clip, frames } from './lib/media.mjs'
import { download } from './lib/published.mjs'
import { Server, dataFolder, freeListeners } from './lib/server.mjs'
import { Service } from './lib/service.mjs'
import { until } from './lib/until.mjs'

const RATE = 30
/** How long the S3 server is away, milliseconds. */
const AWAY = 60_000

test('films on real engines', { timeout: 1_500_000 }, async t => {
  const folder = await dataFolder(t)
  const given = await settings()
  for (const name of ['REELPIN_DATABASE_URL', 'REELPIN_PULSAR_URL', 'REELPIN_S3_ENDPOINT']) {
    assert.ok(given[name], `${name} is among what deploy/engines tells`)
  }
  const listeners = await freeListeners()
  const one = await Server.start({ data: join(folder, 'data'), listeners, env: { REELPIN_PIN_ORIGINAL: 'true', ...given } })
  const node = given.REELPIN_IPFS_RPC ? {} : await ownNode(one)
  const others = { REELPIN_PIN_ORIGINAL: 'true', ...given, ...node }
  const worker = new Service(t, 'reelpin-transcoder', { ...others, REELPIN_WORK: join(folder, 'work'), REELPIN_WORKER_NAME: 'second' })
  const { REELPIN_LISTEN: listen } = await freeListeners()
  const gateway = new Service(t, 'reelpin-gateway', { ...others, REELPIN_LISTEN: listen, REELPIN_WEB: 'web' })
  const api = new Api(`http://${listen}`)
  await until('the second gateway answers', () => api.get('/health/ready').then(answer => answer.ok, () => false), { within: 60_000 })
  const ipfs = node.REELPIN_IPFS_GATEWAY ?? given.REELPIN_IPFS_GATEWAY ?? one.gateway

  await t.test('a film: uploaded through one gateway, followed at the other, made by both workers', async () => {
    const film = join(folder, 'film.mp4')
    await clip(film, { size: '1280x720', rate: RATE, seconds: 150 })
    const { id } = await api.upload(film)
    const { events } = await follow(one.url, { video: id }, event => event.name === 'completed')
    assert.deepEqual(events.map(event => event.seq), events.map((_, i) => i + 1))
    const workers = await rows(given.REELPIN_DATABASE_URL, `SELECT DISTINCT worker FROM attempts WHERE video_id = '${id}' ORDER BY 1`)
    assert.equal(workers.length, 2, `workers: ${workers}`)
    await whole(api, id, 150 * RATE)
    await published(api, id, ipfs)
  })

  await t.test('a film while the broker is dead', async () => {
    await engines('kill', 'pulsar')
    const film = join(folder, 'short.mp4')
    await clip(film, { size: '640x480', rate: RATE, seconds: 6 })
    const { id } = await api.upload(film)
    await follow(one.url, { video: id }, event => event.name === 'completed')
    await whole(api, id, 6 * RATE)
    await engines('up', 'pulsar')
  })

  await t.test('a film through which every engine goes away once', { timeout: 900_000 }, async () => {
    const film = join(folder, 'long.mp4')
    await clip(film, { size: '1920x1080', rate: RATE, seconds: 150 })
    const { id } = await api.upload(film)
    const percent = async () => (await api.json('GET', `/video/${id}/progress`)).percent
    const status = async () => (await api.json('GET', `/video/${id}`)).upload_status
    const past = least => until(`${least} percent`, async () => await percent() >= least, { within: 240_000 })
    await past(5)
    await engines('kill', 'pulsar')
    await past(15)
    await engines('up', 'pulsar')
    assert.notEqual(await status(), 'completed', 'in the middle')
    await engines('kill', 's3')
    await new Promise(resolve => setTimeout(resolve, AWAY))
    await engines('up', 's3')
    await past(40)
    assert.notEqual(await status(), 'completed', 'in the middle')
    await engines('kill', 'postgres')
    await engines('up', 'postgres')
    await until('completed', () => status().then(now => now === 'completed', () => false), { within: 480_000, every: 500 })
    const { events } = await api.json('GET', `/video/${id}/events?since=0`)
    for (const name of ['uploaded', 'probed', 'planned', 'playable', 'completed']) {
      assert.equal(events.filter(event => event.name === name).length, 1, `${name} once in ${events.map(event => event.name)}`)
    }
    await whole(api, id, 150 * RATE)
    await published(api, id, ipfs)
    assert.ok(worker.runs && gateway.runs, 'nobody gave up')
  })

  await t.test('a deleted film leaves nothing in the bucket', async () => {
    const { videos } = await api.json('GET', '/videos')
    for (const { id } of videos) await api.send('DELETE', `/video/${id}`)
    assert.equal(videos.length, 3)
    const bucket = Bucket.at(given.REELPIN_S3_ENDPOINT, given.REELPIN_S3_ACCESS_KEY, given.REELPIN_S3_SECRET_KEY)
    const keys = async id => [...await bucket.keys(`media/${id}/`), ...await bucket.keys(`orig/${id}/`)]
    for (const { id } of videos) {
      await until(`nothing of ${id}`, async () => (await keys(id)).length === 0, { within: 120_000 })
    }
  })
})

/** The node within the first server, as the settings of another process. */
async function ownNode (server) {
  const password = (await readFile(join(server.data, 'secrets/ipfs-rpc'), 'utf8')).trim()
  return { REELPIN_IPFS_RPC: server.rpc, REELPIN_IPFS_RPC_AUTH: `reelpin:${password}`, REELPIN_IPFS_GATEWAY: server.gateway }
}

/** Every rendition has every frame, and nothing is there twice. */
async function whole (api, id, count) {
  const record = await api.json('GET', `/video/${id}`)
  const renditions = record.renditions.map(one => `${one.format} ${one.resolution}`)
  assert.equal(new Set(renditions).size, renditions.length, `${renditions}`)
  for (const one of record.renditions.filter(one => one.resolution !== 'audio')) {
    assert.equal(await frames(one.url), count, `${one.format} ${one.resolution}`)
  }
}

/** Once every pin stands, the node gives the same bytes by the root as the gateway by name. */
async function published (api, id, ipfs) {
  const record = await until('every pin', async () => {
    const now = await api.json('GET', `/video/${id}`)
    return now.pins.length > 0 && now.pins.every(pin => pin.state === 'pinned') && now
  }, { within: 180_000, every: 500 })
  const { files } = await download(record.playback.hls)
  for (const [path, bytes] of Object.entries(files)) {
    const answer = await fetch(`${ipfs}/ipfs/${record.root_cid}/${path}`, { signal: AbortSignal.timeout(60_000) })
    assert.equal(answer.status, 200, path)
    assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())), path)
  }
}
