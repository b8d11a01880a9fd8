// The whole path of a film through public interfaces only: upload, feed, playback, downloads, the
// bucket, IPFS and its content ids, rename, delete; and what is refused.

import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { Api } from './lib/api.mjs'
import * as boxes from './lib/boxes.mjs'
import { Bucket } from './lib/bucket.mjs'
import { cids } from './lib/cids.mjs'
import { Feed, follow } from './lib/feed.mjs'
import { clip, complaints, frames, probe } from './lib/media.mjs'
import { download } from './lib/published.mjs'
import { Server, alive, dataFolder, freeListeners } from './lib/server.mjs'
import { until } from './lib/until.mjs'

const RUNGS = ['480p', '720p', '1080p']
const RATE = 30
const SECONDS = 9
const FRAMES = RATE * SECONDS
const KEY = 'a key for this test'
const IMMUTABLE = 'public, max-age=31536000, immutable'

test('a film, from upload to deletion', async t => {
  const folder = await dataFolder(t)
  const film = join(folder, 'my film.mp4')
  await clip(film, { size: '1920x1080', rate: RATE, seconds: SECONDS })
  const server = await Server.start({ data: join(folder, 'data'), listeners: await freeListeners(), env: { REELPIN_API_KEY: KEY } })
  const api = new Api(server.url, KEY)
  let id, record, heard

  await t.test('the upload is a ticket, a PUT and a word', async () => {
    const ticket = await api.ticket(film, { title: 'My film', description: 'Bars and a tone.' })
    id = ticket.video_id
    assert.match(ticket.s3_path, /^orig\//)
    assert.ok(Date.parse(ticket.expires_at) > Date.now())
    const early = await api.problem('POST', `/upload/video/${id}/complete`)
    assert.deepEqual([early.status, early.code], [409, 'upload_missing'])
    const put = await api.put(ticket, film)
    assert.equal(put.status, 200, await put.text())
    const again = await api.put(ticket, film)
    if (ticket.headers['if-none-match']) assert.equal(again.status, 412)
    const uploaded = await api.json('POST', `/upload/video/${id}/complete`)
    assert.equal(uploaded.id, id)
    assert.equal(uploaded.title, 'My film')
    assert.equal((await api.json('POST', `/upload/video/${id}/complete`)).id, id, 'saying it twice changes nothing')
  })

  await t.test('the feed tells every step once, in order', { timeout: 600_000 }, async () => {
    const done = (event, events) => events.some(e => e.name === 'completed') && events.filter(e => e.name === 'pinned').length >= 2
    heard = await follow(server.url, { key: KEY, video: id }, done)
    assert.deepEqual(heard.events.map(event => event.seq), heard.events.map((_, i) => i + 1))
    const names = heard.events.map(event => event.name)
    const order = ['uploaded', 'probed', 'planned', 'playable', 'completed'].map(name => names.indexOf(name))
    assert.deepEqual(order, [...order].sort((a, b) => a - b), `${names}`)
    assert.ok(!order.includes(-1), `${names}`)
    for (const name of ['uploaded', 'probed', 'planned', 'playable', 'completed']) {
      assert.equal(names.filter(one => one === name).length, 1, name)
    }
    const planned = heard.events.find(event => event.name === 'planned').data
    assert.deepEqual([planned.rungs, planned.audio], [RUNGS, true])
    const rungs = heard.events.filter(event => event.name === 'rung_completed').map(event => event.data.resolution)
    assert.deepEqual(rungs.filter(rung => RUNGS.includes(rung)).sort(), [...RUNGS].sort())
    const percents = heard.progress.map(message => message.percent)
    assert.ok(percents.every(percent => percent >= 0 && percent <= 100), `${percents}`)
  })

  await t.test('events are the same by HTTP, and a feed begins where it is asked to', async () => {
    const { events } = await api.json('GET', `/video/${id}/events?since=0`)
    assert.deepEqual(events.slice(0, heard.events.length).map(e => [e.seq, e.name]), heard.events.map(e => [e.seq, e.name]))
    const later = await api.json('GET', `/video/${id}/events?since=2`)
    assert.equal(later.events[0].seq, 3)
    const from = await follow(server.url, { key: KEY, video: id, since: 2 }, event => event.name === 'completed')
    assert.equal(from.events[0].seq, 3)
    assert.equal(from.snapshot.upload_status, 'completed')
  })

  await t.test('the record holds every fact', async () => {
    record = await until('every pin', async () => {
      const now = await api.json('GET', `/video/${id}`)
      return now.pins.length > 0 && now.pins.every(pin => pin.state === 'pinned') && now
    })
    assert.equal(record.upload_status, 'completed')
    assert.equal(record.error, null)
    assert.deepEqual([record.width, record.height], [1920, 1080])
    assert.ok(Math.abs(record.duration - SECONDS) < 0.1, `${record.duration}`)
    const original = await readFile(film)
    assert.equal(record.file_size, original.length)
    assert.equal(record.checksum, createHash('sha256').update(original).digest('hex'))
    for (const format of ['hls', 'mp4']) {
      const found = record.renditions.filter(one => one.format === format && one.resolution !== 'audio')
      assert.deepEqual(found.map(one => one.resolution).sort(), [...RUNGS].sort(), format)
      for (const one of found) {
        assert.ok(one.size > 0 && one.bitrate > 0 && one.cid && one.url, JSON.stringify(one))
        assert.equal(Math.min(one.width, one.height), parseInt(one.resolution))
      }
    }
    const progress = await api.json('GET', `/video/${id}/progress`)
    assert.deepEqual([progress.upload_status, progress.percent], ['completed', 100])
    assert.deepEqual(Object.keys(progress.rungs).sort(), [...RUNGS].sort())
  })

  await t.test('ffprobe sees every rung, and each decodes to the film\'s frames', { timeout: 300_000 }, async () => {
    const { streams } = await probe(record.playback.hls, 'stream=codec_type,codec_name,width,height')
    const seen = streams.filter(stream => stream.codec_type === 'video').map(stream => stream.height)
    assert.deepEqual([...new Set(seen)].sort((a, b) => a - b), [480, 720, 1080])
    assert.ok(streams.some(stream => stream.codec_type === 'audio' && stream.codec_name === 'aac'))
    for (const rung of record.renditions.filter(one => one.resolution !== 'audio')) {
      assert.equal(await frames(rung.url), FRAMES, `${rung.format} ${rung.resolution}`)
    }
    assert.equal(await complaints(record.playback.hls), '')
  })

  let published
  await t.test('the playlists are whole, and playback is open', async () => {
    published = await download(record.playback.hls)
    assert.equal(published.master.variants.length, RUNGS.length)
    assert.ok(published.master.audio, 'audio is a group of its own')
    for (const variant of published.master.variants) {
      for (const name of ['BANDWIDTH', 'AVERAGE-BANDWIDTH', 'CODECS', 'RESOLUTION', 'FRAME-RATE']) assert.ok(variant[name], name)
    }
    const lists = Object.entries(published.playlists)
    for (const [name, list] of lists) {
      assert.ok(list.ended && list.type === 'VOD', name)
      assert.ok(list.segments.every(segment => Math.round(segment.duration) <= list.target), name)
      const sum = list.segments.reduce((sum, segment) => sum + segment.duration, 0)
      assert.ok(Math.abs(sum - SECONDS) < 0.1, `${name} lasts ${sum}`)
    }
    assert.equal(new Set(lists.map(([, list]) => list.target)).size, 1, 'one target duration')
    const { segments } = await api.json('GET', `/video/${id}/segments`)
    assert.equal(segments.length, lists.reduce((n, [, list]) => n + list.segments.length, 0))
  })

  await t.test('audio and picture are aligned within 20 ms', async () => {
    const starts = {}
    for (const [name, list] of Object.entries(published.playlists)) {
      const track = boxes.track(published.files[list.mapPath])
      let next = null
      let count = 0
      for (const segment of list.segments) {
        for (const fragment of boxes.fragments(published.files[segment.path], track)) {
          if (next !== null) assert.ok(Math.abs(fragment.decode - next) <= 1, `${segment.path}: a hole in the decode times`)
          starts[name] ??= (fragment.shown - track.begins) / track.timescale
          next = fragment.decode + fragment.ticks
          count += fragment.count
        }
      }
      if (!name.startsWith('audio')) assert.equal(count, FRAMES, name)
    }
    const all = Object.values(starts)
    assert.equal(all.length, RUNGS.length + 1)
    assert.ok(Math.max(...all) - Math.min(...all) < 0.02, JSON.stringify(starts))
  })

  await t.test('playlists are compressed, tagged and not kept; media is kept for ever', async () => {
    const list = await api.get(record.playback.hls, { 'accept-encoding': 'gzip' })
    assert.equal(list.headers.get('content-type'), 'application/vnd.apple.mpegurl')
    assert.equal(list.headers.get('content-encoding'), 'gzip')
    assert.ok(!/immutable/.test(list.headers.get('cache-control')), list.headers.get('cache-control'))
    assert.equal(list.headers.get('access-control-allow-origin'), '*')
    for (const [path, type] of [[published.segmentPath, 'video/iso.segment'], [published.initPath, 'video/mp4'], [published.indexPath, 'application/vnd.apple.mpegurl']]) {
      const url = new URL(path, record.playback.hls)
      const answer = await api.get(url, { 'accept-encoding': 'identity' })
      assert.equal(answer.headers.get('content-type'), type, path)
      assert.equal(answer.headers.get('cache-control'), IMMUTABLE, path)
      const tag = answer.headers.get('etag')
      assert.match(tag, /^"[^"]+"$/, path)
      const again = await api.get(url, { 'if-none-match': tag, 'accept-encoding': 'identity' })
      assert.deepEqual([again.status, (await again.arrayBuffer()).byteLength], [304, 0], path)
    }
    const missing = await api.get(new URL('480p/99999-000000.m4s', record.playback.hls))
    assert.deepEqual([missing.status, missing.headers.get('cache-control')], [404, 'no-store'])
  })

  await t.test('MP4s answer ranges and have a name for downloads', async () => {
    for (const one of record.renditions.filter(one => one.format === 'mp4')) {
      const part = await api.get(one.url, { range: 'bytes=100-199' })
      assert.deepEqual([part.status, part.headers.get('content-range')], [206, `bytes 100-199/${one.size}`])
      assert.equal(Buffer.from(await part.arrayBuffer()).compare(published.mp4s[one.resolution].subarray(100, 200)), 0)
      const end = await api.get(one.url, { range: 'bytes=-50' })
      assert.equal(end.headers.get('content-range'), `bytes ${one.size - 50}-${one.size - 1}/${one.size}`)
      const beyond = await api.get(one.url, { range: `bytes=${one.size}-` })
      assert.equal(beyond.status, 416)
      const { streams } = await probe(one.url, 'stream=codec_type,start_time')
      const [a, b] = ['audio', 'video'].map(type => Number(streams.find(stream => stream.codec_type === type).start_time))
      assert.ok(Math.abs(a - b) < 0.02, `${one.resolution}: audio ${a}, video ${b}`)
    }
    const saved = await api.get(`/video/${id}/mp4/480p?download=1`)
    assert.match(saved.headers.get('content-disposition'), /^attachment; filename="My film-480p\.mp4"/)
    await saved.body.cancel()
  })

  await t.test('the poster is a picture of the film\'s shape', async () => {
    const answer = await api.get(record.playback.poster)
    assert.equal(answer.headers.get('content-type'), 'image/jpeg')
    assert.match(answer.headers.get('etag'), /^"[^"]+"$/)
    const file = join(folder, 'poster.jpg')
    await writeFile(file, Buffer.from(await answer.arrayBuffer()))
    const { streams: [{ width, height }] } = await probe(file, 'stream=width,height')
    assert.ok(Math.abs(width / height - 16 / 9) < 0.02, `${width}x${height}`)
  })

  await t.test('bucket, gateway and IPFS give the same bytes', async () => {
    const bucket = await Bucket.of(server)
    const prefix = `media/${id}/`
    const keys = await bucket.keys(prefix)
    published.all = {}
    for (const key of keys) published.all[key.slice(prefix.length)] = await bucket.object(key)
    for (const [path, bytes] of Object.entries(published.files)) {
      const stored = published.all[path] ?? (path === 'master.m3u8' && published.all[Object.keys(published.all).find(name => name.startsWith('master-'))])
      assert.ok(stored && bytes.equals(stored), `${path}: gateway and bucket`)
      const answer = await fetch(`${server.gateway}/ipfs/${record.root_cid}/${path}`)
      assert.equal(answer.status, 200, `${path} on IPFS`)
      assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())), `${path}: gateway and IPFS`)
    }
    for (const [resolution, bytes] of Object.entries(published.mp4s)) {
      const name = Object.keys(published.all).find(name => name.startsWith(`${resolution}-`))
      assert.ok(bytes.equals(published.all[name]), `${name}: gateway and bucket`)
      const answer = await fetch(`${server.gateway}/ipfs/${record.root_cid}/${name}`)
      assert.ok(bytes.equals(Buffer.from(await answer.arrayBuffer())), `${name}: gateway and IPFS`)
    }
    assert.equal(await frames(`${server.gateway}/ipfs/${record.root_cid}/master.m3u8`), FRAMES)
    const original = await fetch(`${server.gateway}/ipfs/${record.ipfs_cid}`)
    assert.equal(original.status, 404, 'the original is nobody else\'s')
  })

  await t.test('every content id is what another implementation computes', async () => {
    const found = await cids(folder, film, published)
    assert.equal(record.ipfs_cid, found.original)
    for (const one of record.renditions) {
      const path = one.format === 'mp4'
        ? Object.keys(found.files).find(name => name.startsWith(`${one.resolution}-`))
        : Object.keys(found.files).find(name => name.startsWith(`${one.resolution}/index-`))
      assert.equal(one.cid, found.files[path], `${one.format} ${one.resolution}`)
    }
    const { segments } = await api.json('GET', `/video/${id}/segments`)
    for (const segment of segments) {
      const path = segment.url.slice(segment.url.indexOf('/hls/') + 5)
      assert.equal(segment.cid, found.files[path], path)
      assert.equal(segment.size, published.all[path].length, path)
    }
    assert.equal(record.root_cid, found.root)
  })

  await t.test('a new title shows everywhere', async () => {
    const renamed = await api.json('PATCH', `/video/${id}`, { title: 'Another "name"' })
    assert.equal(renamed.title, 'Another "name"')
    assert.equal(renamed.description, 'Bars and a tone.')
    const saved = await api.get(`/video/${id}/mp4/480p?download=1`)
    assert.match(saved.headers.get('content-disposition'), /^attachment; filename=".*name.*-480p\.mp4"/)
    await saved.body.cancel()
  })

  let second
  await t.test('a silent film of an odd size, cancelled and retried, completes', { timeout: 300_000 }, async () => {
    const small = join(folder, 'small.mp4')
    await clip(small, { size: '322x182', rate: 25, seconds: 6, sound: false })
    second = (await api.upload(small)).id
    assert.equal((await api.json('POST', `/video/${second}/cancel`)).upload_status, 'cancelled')
    await api.json('POST', `/video/${second}/retry`)
    const { events } = await follow(server.url, { key: KEY, video: second }, event => event.name === 'completed')
    assert.deepEqual(events.filter(e => ['cancelled', 'retried'].includes(e.name)).map(e => e.name), ['cancelled', 'retried'])
    const done = await api.json('GET', `/video/${second}`)
    assert.equal(await frames(done.playback.hls), 150)
    const late = await api.problem('POST', `/video/${second}/cancel`)
    assert.equal(late.status, 409)
  })

  await t.test('the list is newest first, page by page', async () => {
    const first = await api.json('GET', '/videos?limit=1')
    assert.deepEqual(first.videos.map(video => video.id), [second])
    const next = await api.json('GET', `/videos?limit=1&cursor=${encodeURIComponent(first.next_cursor)}`)
    assert.deepEqual(next.videos.map(video => video.id), [id])
    if (next.next_cursor !== null) {
      const last = await api.json('GET', `/videos?limit=1&cursor=${encodeURIComponent(next.next_cursor)}`)
      assert.deepEqual([last.videos, last.next_cursor], [[], null])
    }
  })

  await t.test('a text named .mp4 is refused with a code and advice', { timeout: 120_000 }, async () => {
    const text = join(folder, 'letter.mp4')
    await writeFile(text, 'Dear reader, this is no film. '.repeat(100))
    const ticket = await api.ticket(text)
    assert.equal((await api.put(ticket, text)).status, 200)
    await api.send('POST', `/upload/video/${ticket.video_id}/complete`)
    const failed = await until('it fails', async () => {
      const now = await api.json('GET', `/video/${ticket.video_id}`)
      return now.upload_status === 'failed' && now
    })
    for (const name of ['code', 'detail', 'suggestion']) assert.ok(failed.error[name], `${name} of ${JSON.stringify(failed.error)}`)
    assert.match(failed.error.code, /^[a-z_]+$/)
  })

  await t.test('other bytes than declared are refused', async () => {
    const part = join(folder, 'part.mp4')
    await writeFile(part, (await readFile(film)).subarray(0, 5000))
    const ticket = await api.ticket(film)
    const answer = await api.put(ticket, part)
    assert.ok(answer.status >= 400 && answer.status < 500, `${answer.status}`)
    const { status, code } = await api.problem('POST', `/upload/video/${ticket.video_id}/complete`)
    assert.deepEqual([status, code], [409, 'upload_missing'])
  })

  await t.test('what cannot be is a problem with a code of its own', async () => {
    const nobody = new Api(server.url)
    const film = { filename: 'a.mp4', fileSize: 1000 }
    const unknown = '00000000-0000-7000-8000-000000000000'
    const cases = [
      [401, 'unauthorized', () => nobody.problem('POST', '/upload/video', film)],
      [401, 'unauthorized', () => nobody.problem('GET', '/videos')],
      [401, 'unauthorized', () => new Api(server.url, 'wrong').problem('DELETE', `/video/${id}`)],
      [404, 'video_not_found', () => api.problem('GET', `/video/${unknown}`)],
      [413, 'too_large', () => api.problem('POST', '/upload/video', { ...film, fileSize: 5 * 2 ** 30 + 1 })]
    ]
    for (const [status, code, ask] of cases) {
      const problem = await ask()
      assert.equal(problem.code, code)
      // The contract names the codes; the statuses of two of them are the server's to choose.
      assert.ok(problem.status === status || (code === 'too_large' && problem.status === 422), `${code}: ${problem.status}`)
      for (const member of ['type', 'title', 'detail']) assert.ok(problem[member], `${member} of ${code}`)
    }
    for (const body of [{}, { filename: 'a.mp4', fileSize: 0 }, { filename: '', fileSize: 10 }, { filename: 'a.mp4', fileSize: -1 }, { filename: 'a.mp4', fileSize: 'x' }]) {
      const problem = await api.problem('POST', '/upload/video', body)
      assert.ok(problem.status >= 400 && problem.status < 500 && problem.code, JSON.stringify(body))
    }
    const foreign = await api.problem('POST', '/upload/video', film, { origin: 'https://elsewhere.example' })
    assert.equal(foreign.status, 403)
  })

  await t.test('the feed wants the key, and no foreign page', async () => {
    const silent = await Feed.open(server.url)
    silent.send({ op: 'subscribe', videos: [id] })
    const told = []
    for await (const message of silent) told.push(message)
    assert.deepEqual([told.filter(message => message.type === 'snapshot'), silent.closeCode], [[], 4401])
    await assert.rejects(Feed.open(server.url, { headers: { origin: 'https://elsewhere.example' } }), { status: 403 })
  })

  await t.test('health, numbers and a description of itself', async () => {
    for (const path of ['/health/live', '/health/ready']) assert.equal((await fetch(server.url + path)).status, 200, path)
    assert.match(await (await api.get('/metrics')).text(), /^# TYPE \S+ (counter|histogram|summary)/m)
    const described = await api.json('GET', '/openapi.json')
    assert.match(described.openapi, /^3\.1/)
    for (const path of ['/upload/video', '/video/{id}', '/videos', '/video/{id}/progress']) assert.ok(described.paths[path], path)
    const config = await (await fetch(`${server.url}/config`)).json()
    assert.deepEqual([config.needs_key, config.max_file_size], [true, 5 * 2 ** 30])
  })

  await t.test('a deleted film is gone everywhere', { timeout: 120_000 }, async () => {
    assert.equal((await api.send('DELETE', `/video/${id}`)).status, 202)
    for (const path of ['', '/hls/master.m3u8', '/mp4/480p', '/poster']) {
      const { status, code } = await api.problem('GET', `/video/${id}${path}`)
      assert.deepEqual([status, code], [410, 'video_deleted'], path)
    }
    const { videos } = await api.json('GET', '/videos')
    assert.ok(!videos.some(video => video.id === id))
    const bucket = await Bucket.of(server)
    await until('the bucket is empty of it', async () => (await bucket.keys(`media/${id}/`)).length + (await bucket.keys(`orig/${id}/`)).length === 0)
    await until('IPFS forgets it', async () => (await fetch(`${server.gateway}/ipfs/${record.root_cid}/master.m3u8`)).status === 404)
    assert.equal((await api.json('GET', `/video/${second}`)).upload_status, 'completed')
  })

  await t.test('it stops cleanly and leaves nothing running', { timeout: 90_000 }, async () => {
    const below = await server.descendants()
    assert.ok(below.length > 0, 'PostgreSQL runs below it')
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    assert.deepEqual(await alive(below), [])
  })
})
