// `deploy/bench presets`: what VMAF at the same bit rate costs, by preset, look-ahead and scaler.

import { rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CANDIDATES, encode } from './candidates.mjs'
import { machine, quiet } from './machine.mjs'
import { measured } from './measure.mjs'
import { options, workplace } from './options.mjs'
import { partOf, quality, vmafProgram } from './quality.mjs'
import { RUNGS } from './references.mjs'
import { machine as about, table, told } from './report.mjs'
import { Stop, run, step, tell } from './say.mjs'
import * as sources from './sources.mjs'
import { atRate, spread } from './statistics.mjs'

/** What decides, and a second point of quality below it that makes a line of each candidate. */
const CRF = [23, 27]

await run(async () => {
  const asked = options(process.argv.slice(2), { flags: ['quick'], names: CANDIDATES.map(one => one.name), runs: 3 })
  const program = vmafProgram()
  if (!program) throw new Stop('This needs an ffmpeg with libvmaf: REELPIN_VMAF_FFMPEG can name one.')
  const place = await workplace(asked.work)
  step('Looking whether the machine is quiet')
  const before = await quiet()
  if (!before.quiet) tell('It is NOT: the CPU seconds are not to be trusted.')
  const film = asked.files.length > 0 ? await sources.named(asked.files[0]) : await sources.short(place.sources)
  const part = asked.part ?? partOf(film)
  if (part.to > film.seconds) throw new Stop(`${film.name} has ${film.seconds.toFixed(1)} s only.`)
  const [reference, ...others] = CANDIDATES
  const chosen = [reference, ...others.filter(one => !asked.only || asked.only.includes(one.name))]
  const result = { date: new Date().toISOString(), arguments: process.argv.slice(2), machine: machine(), before, rounds: asked.runs, film, part, during: [], candidates: [] }

  const cpu = new Map(chosen.map(one => [one.name, []]))
  const points = new Map(chosen.map(one => [one.name, []]))
  for (let round = 1; round <= asked.runs; round++) {
    for (const one of chosen) {
      step(`Round ${round} of ${asked.runs}: ${one.name}`)
      const folder = await place.folder(one.name)
      const found = await measured(encode(one, film, part, CRF[0]), folder)
      tell(`${found.cpu.toFixed(2)} CPU s; others took ${(found.machine.foreign * 100).toFixed(1)} %`)
      cpu.get(one.name).push(found.cpu)
      result.during.push(found.machine)
      if (round === asked.runs) points.get(one.name).push(await looked(folder))
      rmSync(folder, { recursive: true, force: true })
    }
  }
  for (const one of chosen) {
    step(`A second point, and VMAF: ${one.name}`)
    const folder = await place.folder(one.name)
    await measured(encode(one, film, part, CRF[1]), folder)
    points.get(one.name).push(await looked(folder))
    rmSync(folder, { recursive: true, force: true })
  }

  result.candidates = chosen.map(one => compared(one, reference))
  if (asked.json) await writeFile(asked.json, `${JSON.stringify(result, null, 2)}\n`)
  process.stdout.write(`${about(result)}\n\n${text(result)}\n`)

  async function looked (folder) {
    const found = []
    for (const rung of RUNGS) found.push(await quality(program, join(folder, `${rung.name}.mp4`), film, part, folder, part.from))
    return found
  }

  /** A candidate at the rates of the reference; CPU seconds against those of the same rounds. */
  function compared (one, reference) {
    const [high, low] = points.get(one.name)
    const want = points.get(reference.name)[0]
    const rungs = RUNGS.map(({ name }, number) => {
      const vmaf = one === reference ? high[number].vmaf : atRate(high[number], low[number], want[number].rate)
      return { rung: name, rate: want[number].rate, vmaf, gain: vmaf === null ? null : vmaf - want[number].vmaf, points: [high[number], low[number]] }
    })
    const gains = rungs.map(rung => rung.gain).filter(gain => gain !== null)
    const gain = gains.reduce((sum, each) => sum + each, 0) / gains.length
    const ratio = spread(cpu.get(one.name).map((seconds, round) => seconds / cpu.get(reference.name)[round]))
    return { name: one.name, cpu: spread(cpu.get(one.name)), ratio, rungs, gain }
  }
})

function text ({ film, part, candidates }) {
  const seconds = part.to - part.from
  const rates = candidates[0].rungs.map(({ rung, rate }) => `${rung} ${rate.toFixed(0)}`).join(', ')
  const lines = candidates.map(({ name, cpu, ratio, rungs, gain }) => [name, (cpu.median / seconds).toFixed(3), told(ratio),
    ...rungs.map(rung => rung.vmaf === null ? '-' : rung.vmaf.toFixed(2)), signed(gain), (mean(rungs) / cpu.median * seconds).toFixed(1), worth(ratio.median, gain)])
  return `${film.name} (${film.about}), seconds ${part.from} to ${part.to}; VMAF at the bit rates that ${candidates[0].name} has at crf ${CRF[0]}, kbit/s: ${rates}\n` +
    table([['', 'CPU s / s', 'ratio', ...RUNGS.map(rung => `VMAF ${rung.name}`), 'mean gain', 'VMAF / CPU s', 'gain / 10 % CPU'], ...lines])
}

function signed (number) {
  return `${number >= 0 ? '+' : ''}${number.toFixed(2)}`
}

function mean (rungs) {
  const known = rungs.filter(rung => rung.vmaf !== null)
  return known.reduce((sum, rung) => sum + rung.vmaf, 0) / known.length
}

/** VMAF for each tenth of CPU more or less; nothing where CPU differs by less than the noise of a run, 2 percent. */
function worth (ratio, gain) {
  return Math.abs(ratio - 1) < 0.02 ? '' : signed(gain / (ratio - 1) / 10)
}
