// The page in a real Chromium: uploads a film and plays it to its end (web/tests/browser/play.mjs), and plays films that
// are still being made (web/tests/browser/growing.mjs); then it and players of others on a film that this server is still making.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { holds, jumps, stalls } from '../../../web/tests/browser/samples.mjs'
import { Api } from './lib/api.mjs'
import { clip } from './lib/media.mjs'
import { PLAYERS, browser, site, watch, watchPage } from './lib/players.mjs'
import { Server, dataFolder, freeListeners, project } from './lib/server.mjs'
import { until } from './lib/until.mjs'

/** How long the films last that are watched while they are made, seconds. */
const FILM = 60

test('the page uploads a film and plays it to the end in Chromium', { timeout: 600_000 }, async t => {
  const folder = await dataFolder(t)
  const film = join(folder, 'for the page.mp4')
  await clip(film, { size: '1280x720', rate: 30, seconds: 8 })
  const server = await Server.start({ data: join(folder, 'data'), listeners: await freeListeners() })
  const player = spawn(process.execPath, [join(project, 'web/tests/browser/play.mjs'), film], {
    env: { ...process.env, REELPIN_URL: server.url },
    stdio: ['ignore', 'inherit', 'inherit'],
    signal: t.signal
  })
  const [code] = await once(player, 'exit')
  assert.equal(code, 0, `play.mjs; the server said:\n${server.log.join('\n')}`)
})

test('the player on films that grow at their own speeds, in Chromium', { timeout: 900_000 }, async t => {
  const player = spawn(process.execPath, [join(project, 'web/tests/browser/growing.mjs')], { stdio: ['ignore', 'inherit', 'inherit'], signal: t.signal })
  const [code] = await once(player, 'exit')
  assert.equal(code, 0, 'growing.mjs')
})

test('the page on a film that is still being made', { timeout: 600_000 }, async t => {
  const { server, api, id } = await uploaded(t)
  const { samples, faults } = await watchPage(await browser(t), server, id, 300_000)
  const record = await api.json('GET', `/video/${id}`)
  const made = record.renditions.filter(({ format, resolution }) => format === 'hls' && resolution !== 'audio').map(({ resolution }) => resolution)
  assert.deepEqual(faults, [])
  assert.deepEqual(made.sort(), ['480p', '720p'])
  assert.ok(samples[0].t < 0.5, 'it did not begin at 0')
  const begun = samples.findIndex(({ t, kind }) => t > 0.25 && kind !== 'wait')
  const after = samples.slice(samples.findLastIndex(({ kind }) => kind === 'wait') + 1)
  assert.ok(holds(samples).length <= 1, 'it was held back again')
  t.diagnostic(`begun at ${(samples[begun].at - samples[0].at).toFixed(1)} s, ${holds(samples).length} times held back, up to ${Math.max(...samples.map(({ height }) => height))}p`)
  assert.deepEqual(stalls(after.slice(after.findIndex(({ t }) => t > 0.25))), [], 'it stopped')
  assert.deepEqual(jumps(samples), [], 'it jumped')
  const end = samples.at(-1)
  assert.ok(end.ended && Math.abs(end.t - FILM) < 0.2, `it ended at ${end.t}`)
  assert.equal(samples.find(({ height }) => height > 0).height, 480, 'it did not begin with the lowest rung')
  assert.equal(end.height, 720, 'it did not move up')
})

test('hls.js, Shaka Player and video.js on a film that is still being made', { timeout: 600_000 }, async t => {
  const { api, id } = await uploaded(t)
  const shown = await browser(t)
  const pages = await site()
  t.after(() => pages.close())
  const playable = await until('playable', async () => {
    const record = await api.json('GET', `/video/${id}?growing=true`)
    return record.playback?.hls && record
  }, { within: 120_000 })
  const url = playable.playback.hls
  assert.match(url, /live\.m3u8$/)
  const lowest = new URL('480p/live.m3u8', url)
  const growing = await (await api.get(lowest)).text()
  assert.doesNotMatch(growing, /ENDLIST/, 'it was made before anybody could watch')

  const watched = await Promise.all(Object.keys(PLAYERS).map(async name => [name, await watch(shown, pages, name, url, 200_000)]))
  for (const [name, { samples, faults }] of watched) {
    const stood = stalls(samples.slice(samples.findIndex(({ t }) => t > 0.25)))
    t.diagnostic(`${name}: ended at ${samples.at(-1).t}, ${stood.length} waits for the encoder, ${Math.max(...samples.map(({ height }) => height))}p`)
    assert.deepEqual(faults, [], name)
    assert.ok(samples.find(({ height }) => height > 0)?.t < 0.5, `${name} did not begin at 0`)
    assert.deepEqual(jumps(samples), [], `${name} jumped`)
    const end = samples.at(-1)
    assert.ok(end.ended && Math.abs(end.t - FILM) < 0.2, `${name} ended at ${end.t}`)
  }
})

/** A server of its own with a film of two rungs that has just been uploaded. */
async function uploaded (t) {
  const folder = await dataFolder(t)
  const film = join(folder, 'film.mp4')
  await clip(film, { size: '1280x720', rate: 30, seconds: FILM })
  const server = await Server.start({ data: join(folder, 'data'), listeners: await freeListeners() })
  const api = new Api(server.url)
  const { id } = await api.upload(film)
  return { server, api, id }
}
