// Players of others in a real browser, each as its makers say to embed it, on any playlist.

import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { sample } from '../../../../web/tests/browser/samples.mjs'
import { project } from './server.mjs'

const ARGS = '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --autoplay-policy=no-user-gesture-required --disable-background-networking --disable-component-update --disable-sync'.split(' ')
const MODULES = join(project, 'deploy/tests/players/node_modules')

/** Where a player's script lies, and what makes it play `url` in `video`; `fault` takes what goes wrong for good. */
export const PLAYERS = {
  'hls.js': {
    script: 'hls.js/dist/hls.min.js',
    play: (video, url, fault) => {
      const hls = new window.Hls()
      hls.on(window.Hls.Events.ERROR, (_, error) => error.fatal && fault(error.details))
      hls.loadSource(url)
      hls.attachMedia(video)
    }
  },
  'Shaka Player': {
    script: 'shaka-player/dist/shaka-player.compiled.js',
    play: async (video, url, fault) => {
      window.shaka.polyfill.installAll()
      const player = new window.shaka.Player()
      player.addEventListener('error', ({ detail }) => fault(`Shaka error ${detail.code}`))
      await player.attach(video)
      await player.load(url)
    }
  },
  'video.js': {
    script: 'video.js/dist/video.min.js',
    play: (video, url, fault) => {
      const player = window.videojs(video, { sources: [{ src: url, type: 'application/vnd.apple.mpegurl' }] })
      player.on('error', () => fault(player.error().message))
    }
  }
}

/** A site of another origin, whose pages hold a player each: `/NAME`. */
export async function site () {
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://site').pathname).slice(1)
    const script = Object.values(PLAYERS).some(({ script }) => script === path)
    if (script) {
      response.writeHead(200, { 'content-type': 'text/javascript' })
      createReadStream(join(MODULES, path)).pipe(response)
    } else if (PLAYERS[path]) {
      response.writeHead(200, { 'content-type': 'text/html' })
      response.end(`<!doctype html><title>${path}</title><script src="/${PLAYERS[path].script}"></script><video width="1280" height="720" muted autoplay preload="auto"></video>`)
    } else {
      response.writeHead(404).end()
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() }
}

/** Chromium, as web/ drives it. */
export async function browser (t) {
  const { chromium } = createRequire(join(project, 'web/package.json'))('playwright-core')
  const browser = await chromium.launch({ executablePath: process.env.REELPIN_CHROMIUM || '/usr/bin/chromium', args: ARGS })
  t.after(() => browser.close())
  return browser
}

/**
 * Plays `url` with the player of this name to its end, or for `limit` milliseconds. Resolves to what was seen each 100 ms,
 * `{at, t, rate, ended, height}` in seconds and pixels, and what went wrong.
 */
export async function watch (browser, site, name, url, limit) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 720 } })
  try {
    const page = await context.newPage()
    const faults = []
    page.on('pageerror', error => faults.push(error.message))
    await page.exposeFunction('fault', words => { faults.push(words) })
    await page.goto(`${site.url}/${encodeURIComponent(name)}`)
    await page.evaluate(async ([source, url]) => {
      const play = (0, eval)(`(${source})`)
      window.samples = []
      const look = () => {
        const film = document.querySelector('video')
        window.samples.push({ at: performance.now() / 1000, t: film.currentTime, rate: film.playbackRate, ended: film.ended, height: film.videoHeight })
        if (film.ended) clearInterval(timer)
      }
      const timer = setInterval(look, 100)
      await play(document.querySelector('video'), url, window.fault)
    }, [PLAYERS[name].play.toString(), url])
    await page.waitForFunction(() => window.samples.at(-1)?.ended, null, { timeout: limit, polling: 200 }).catch(() => {})
    return { samples: await page.evaluate(() => window.samples), faults }
  } finally {
    await context.close()
  }
}

/** The same in this server's own page, opened at once and begun when it can be; what it says of the film is among the samples. */
export async function watchPage (browser, server, id, limit) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
  try {
    const page = await context.newPage()
    const faults = []
    page.on('pageerror', error => faults.push(error.message))
    page.on('console', message => message.type() === 'error' && /policy|violat/i.test(message.text()) && faults.push(message.text()))
    await page.goto(`${server.url}/#/video/${id}`)
    await page.locator('.start').waitFor({ timeout: limit })
    await sample(page)
    await page.locator('.start').click()
    await page.waitForFunction(() => document.querySelector('video').ended, null, { timeout: limit, polling: 200 }).catch(() => {})
    await page.waitForTimeout(300)
    return { samples: await page.evaluate(() => window.reelpinSamples), faults }
  } finally {
    await context.close()
  }
}
