// The page in a real Chromium: uploads a film and plays it to its end (web/tests/browser/play.mjs), and plays films that
// are still being made (web/tests/browser/growing.mjs); and players of others on a film that is still being made.

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { jumps, stalls } from '../../../web/tests/browser/samples.mjs'
import { Api } from './lib/api.mjs'
import { clip } from './lib/media.mjs'
import { PLAYERS, browser, site, watch } from './lib/players.mjs'
import { Server, dataFolder, freeListeners, project } from './lib/server.mjs'
import { until } from './lib/until.mjs'

/** How long the film of the other players lasts, seconds. */
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

test('hls.js, Shaka Player and video.js on a film that is still being made', { timeout: 600_000 }, async t => {
  const folder = await dataFolder(t)
  const film = join(folder, 'film.mp4')
  await clip(film, { size: '1280x720', rate: 30, seconds: FILM })
  const server = await Server.start({ data: join(folder, 'data'), listeners: await freeListeners() })
  const api = new Api(server.url)
  const shown = await browser(t)
  const pages = await site()
  t.after(() => pages.close())

  const { id } = await api.upload(film)
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
