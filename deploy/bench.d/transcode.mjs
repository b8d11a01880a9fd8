// `deploy/bench transcode`: the real pipeline and its references, interleaved.

import { writeFile } from 'node:fs/promises'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { rows } from './bars.mjs'
import * as extras from './extras.mjs'
import { machine, quiet } from './machine.mjs'
import { measured } from './measure.mjs'
import { options, workplace } from './options.mjs'
import { partOf, quality, vmafProgram } from './quality.mjs'
import { RUNGS, base } from './references.mjs'
import { report } from './report.mjs'
import { RUNS, lacking } from './runs.mjs'
import { Stop, run, step, tell } from './say.mjs'
import * as sources from './sources.mjs'
import { atRate } from './statistics.mjs'

const EXTRAS = ['pair', 'second', 'long']
/** Run only where it is asked for: REAL tells the same, and more. */
const ASKED = ['first']
/** What is run of the made film of 10 minutes; the rest costs hours and tells what 30 s tell. */
const OF_LONG = ['real', 'base', 'starter']

await run(async () => {
  const asked = options(process.argv.slice(2), { flags: ['quick', ...EXTRAS], names: [...Object.keys(RUNS), ...EXTRAS], runs: 5 })
  const wanted = name => asked.only ? asked.only.includes(name) : EXTRAS.includes(name) ? asked[name] : !ASKED.includes(name)
  for (const name of EXTRAS) if (asked[name] && asked.only) asked.only.push(name)
  const place = await workplace(asked.work)

  step('Looking whether the machine is quiet')
  const result = { date: new Date().toISOString(), arguments: process.argv.slice(2), machine: machine(), before: await quiet(), rounds: asked.runs, films: [], during: [], ratios: [], notes: [] }
  if (!result.before.quiet) tell('It is NOT: what follows shows that everything works, not how fast.')
  const save = async () => asked.json && writeFile(asked.json, `${JSON.stringify(result, null, 2)}\n`)

  const films = asked.files.length > 0 ? await Promise.all(asked.files.map(sources.named)) : await made(asked, place)
  for (const [number, film] of films.entries()) {
    const all = asked.files.length > 0 || number === 0 ? Object.keys(RUNS) : asked.only ?? OF_LONG
    const names = all.filter(name => RUNS[name] && wanted(name))
    const conforming = names.some(name => /copy/.test(name)) ? await sources.conforming(place.sources, film) : null
    result.films.push({ film, conforming, names, runs: [], quality: null })
  }
  for (const name of new Set(result.films.flatMap(one => one.names))) {
    const why = lacking(name)
    if (!why) continue
    result.notes.push(`${name} was not run: ${why}`)
    for (const one of result.films) one.names = one.names.filter(other => other !== name)
  }
  if (films.every(film => film.path.includes(place.sources) && !film.about.includes('Bunny'))) result.notes.push('the sources are a pattern, not a film: VMAF and bit rates are not those of films')

  const last = new Map()
  for (let round = 1; round <= asked.runs; round++) {
    for (const one of result.films) {
      for (const name of one.names) {
        step(`Round ${round} of ${asked.runs}: ${name}, ${one.film.name}`)
        const folder = await place.folder(name)
        const keep = round === asked.runs && ['real', 'base'].includes(name)
        try {
          const found = await RUNS[name](one, folder, keep)
          tell(`${found.cpu.toFixed(2)} CPU s, ${found.wall.toFixed(2)} s; others took ${(found.machine.foreign * 100).toFixed(1)} %`)
          one.runs.push({ name, round, ...found })
          result.during.push(found.machine)
          if (keep) last.set(`${name} ${one.film.path}`, folder)
        } catch (error) {
          if (error instanceof Stop) throw error
          failed(result, `${name} of ${one.film.name}, round ${round}: ${error.message}`)
        }
        if (!keep) rmSync(folder, { recursive: true, force: true })
        else rmSync(join(folder, 'data'), { recursive: true, force: true })
        await save()
      }
    }
  }
  try {
    await vmaf(result, last, place)
  } catch (error) {
    failed(result, `VMAF: ${error.message}`)
  }
  for (const one of result.films) result.ratios.push(...rows(one.film.name, one.runs))
  await save()

  const longest = films.reduce((a, b) => b.seconds > a.seconds ? b : a)
  const more = {
    pair: async () => extras.pair(asked.files.length > 0 ? longest : await sources.fiveMinutes(place.sources, films[0]), asked.runs, place),
    second: () => extras.second(films[0], longest, asked.runs, place),
    long: async () => extras.long(await sources.long(place.sources, films[0]), asked.runs, place)
  }
  for (const name of EXTRAS.filter(wanted)) {
    step(`Now ${name}`)
    try {
      result.ratios.push(await more[name]())
    } catch (error) {
      failed(result, `${name}: ${error.message}`)
    }
    await save()
  }
  process.stdout.write(report(result))
  if (asked.json) tell(`Everything as JSON: ${asked.json}`)
})

async function made (asked, place) {
  const film = await sources.short(place.sources)
  return asked.quick ? [film] : [film, await sources.tenMinutes(place.sources, film)]
}

function failed (result, sentence) {
  tell(sentence)
  result.notes.push(`FAILED: ${sentence}`)
  process.exitCode = 1
}

/** Of each film with REAL and BASE of the last round; the made film of 10 min shows nothing that its 30 s do not. */
async function vmaf (result, last, place) {
  const program = vmafProgram()
  for (const one of result.films) {
    const [made, reference] = ['real', 'base'].map(name => last.get(`${name} ${one.film.path}`))
    if (!made || !reference || one.film.name === 'film-10min') continue
    if (!program) {
      result.notes.push('VMAF was not measured: no ffmpeg with libvmaf here; REELPIN_VMAF_FFMPEG can name one')
      return
    }
    step(`VMAF, ${one.film.name}`)
    const lower = await place.folder('base-27')
    await measured(base(one.film, 27), lower)
    const part = partOf(one.film)
    const rungs = []
    for (const rung of RUNGS) {
      const look = folder => quality(program, join(folder, `${rung.name}.mp4`), one.film, part, folder)
      const found = { rung: rung.name, real: await look(made), base: await look(reference), lower: await look(lower) }
      const expected = atRate(found.base, found.lower, found.real.rate)
      found.gain = expected === null ? null : found.real.vmaf - expected
      if (found.real.width !== rung.width) result.notes.push(`REAL made ${rung.name} ${found.real.width} pixels wide, BASE ${rung.width}`)
      tell(`${rung.name}: REAL ${found.real.vmaf.toFixed(2)} at ${found.real.rate.toFixed(0)} kbit/s, BASE ${found.base.vmaf.toFixed(2)} at ${found.base.rate.toFixed(0)}`)
      rungs.push(found)
    }
    one.quality = { part, rungs }
  }
}
