// The page in a real Chromium: uploads a film and plays it to its end (web/tests/browser/play.mjs), and plays films that
// are still being made (web/tests/browser/growing.mjs).

import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import test from 'node:test'
import { clip } from './lib/media.mjs'
import { Server, dataFolder, freeListeners, project } from './lib/server.mjs'

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
