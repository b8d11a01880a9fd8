// What one film alone cannot show: two workers, a second film, a very long film.

import { rmSync } from 'node:fs'
import { row } from './bars.mjs'
import { step, tell } from './say.mjs'
import { Reelpin } from './reelpin.mjs'

/** The longest that is waited for a film to become playable, seconds. */
const PATIENCE = 900

const seconds = (events, to) => (Date.parse(events.find(event => event.name === to).at) - Date.parse(events.find(event => event.name === 'uploaded').at)) / 1000

/**
 * Two workers of one core each against one. The engines and the gateway are in the first worker's process,
 * so on its core, both times; the second worker is the service `reelpin-transcoder` on the same engines.
 */
export async function pair (film, runs, place) {
  const values = []
  for (let round = 1; round <= runs; round++) {
    const one = await completed(film, await place.folder('one'), false)
    const two = await completed(film, await place.folder('two'), true)
    tell(`round ${round}: one worker ${one.toFixed(1)} s, two ${two.toFixed(1)} s`)
    values.push(one / two)
  }
  return row('seconds to completed: one worker / two', film.name, values, { bar: 1.8, aim: 1.9, least: true })
}

async function completed (film, folder, second) {
  const reelpin = await Reelpin.start(folder, { core: 0 })
  try {
    if (second) await reelpin.addWorker(1)
    const id = await reelpin.put(film)
    await reelpin.complete(id)
    return seconds(await reelpin.follow(id, event => event.name === 'completed'), 'completed')
  } finally {
    await reelpin.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Seconds until a short film is playable while a long one is being encoded, against an idle server. */
export async function second (film, busyWith, runs, place) {
  const values = []
  let late = 0
  for (let round = 1; round <= runs; round++) {
    const idle = await playable(film, await place.folder('idle'))
    const busy = await playable(film, await place.folder('busy'), busyWith)
    tell(`round ${round}: idle ${idle.seconds.toFixed(2)} s, busy ${busy.seconds.toFixed(2)} s${busy.late ? ' and not yet' : ''}`)
    if (busy.late) late++
    values.push(busy.seconds / idle.seconds)
  }
  return row(`seconds to playable: with ${busyWith.name} encoding / idle`, film.name, values, { bar: 2, note: unready(late) })
}

/** Seconds until 2 h are playable, against 10 min of the same; neither is waited for to the end. */
export async function long (films, runs, place) {
  const values = []
  let late = 0
  for (let round = 1; round <= runs; round++) {
    const found = []
    for (const film of films) found.push(await playable(film, await place.folder(film.name)))
    tell(`round ${round}: ${films.map((film, i) => `${film.name} ${found[i].seconds.toFixed(2)} s${found[i].late ? ' and not yet' : ''}`).join(', ')}`)
    if (found.some(one => one.late)) late++
    values.push(found[1].seconds / found[0].seconds)
  }
  return row('seconds to playable: 2 h / 10 min', films[1].name, values, { bar: 1.1, note: unready(late) })
}

const unready = late => late > 0 ? `${late} round(s) ended before it was playable` : null

async function playable (film, folder, busyWith) {
  const reelpin = await Reelpin.start(folder)
  try {
    if (busyWith) await busy(reelpin, busyWith)
    const id = await reelpin.put(film)
    await reelpin.complete(id)
    const events = await reelpin.follow(id, event => event.name === 'playable', { within: PATIENCE * 1000 })
    if (!events.some(event => event.name === 'playable')) return { seconds: PATIENCE, late: true }
    return { seconds: seconds(events, 'playable'), late: false }
  } finally {
    await reelpin.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Resolves once the first segments of a film are stored. */
async function busy (reelpin, film) {
  const id = await reelpin.put(film)
  await reelpin.complete(id)
  step(`Waiting until ${film.name} is being encoded`)
  const deadline = Date.now() + PATIENCE * 1000
  for (;;) {
    const { segments } = await reelpin.api.json('GET', `/video/${id}/segments`)
    if (segments.some(segment => segment.resolution !== 'audio')) return
    if (Date.now() > deadline) throw new Error(`${film.name}: no segment in time`)
    await new Promise(resolve => setTimeout(resolve, 250))
  }
}
