// What was measured, as text for people.

import { spread } from './statistics.mjs'

const MB = 1024 * 1024

/** The whole result as tables. */
export function report (result) {
  const parts = [machine(result), ...result.films.map(film => runs(film)), ratios(result.ratios), ...result.films.map(quality), rungs(result)]
  if (result.notes.length > 0) parts.push(['Notes', ...result.notes.map(note => `  ${note}`)].join('\n'))
  return `${parts.filter(Boolean).join('\n\n')}\n`
}

/** Columns as wide as they must be; the first one to the left, the others to the right. */
export function table (lines) {
  const wide = lines[0].map((_, column) => Math.max(...lines.map(line => line[column].length)))
  return lines.map(line => line.map((cell, column) => column === 0 ? cell.padEnd(wide[0]) : cell.padStart(wide[column])).join('  ').trimEnd()).join('\n')
}

const percent = share => `${(share * 100).toFixed(1)} %`

/** `median (min..max)`. */
export function told ({ median, min, max, values }, digits = 3) {
  const text = median.toFixed(digits)
  return values.length === 1 ? text : `${text} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}

/** The machine and its noise, with the date. */
export function machine ({ date, machine, before, rounds, during }) {
  const lines = [`${date}; rounds: ${rounds}`,
    `${machine.cpu}, ${machine.cores} cores, ${(machine.memory / MB / 1024).toFixed(1)} GiB; Linux ${machine.kernel}; ${machine.ffmpeg}; Node ${machine.node}`,
    `before: load ${before.load.toFixed(2)}, others took ${percent(before.foreign)} of all cores, the host ${percent(before.steal)}: ${before.quiet ? 'quiet' : 'NOT QUIET, the figures are not to be trusted'}`]
  if (during.length > 0) {
    const foreign = spread(during.map(one => one.foreign))
    const steal = spread(during.map(one => one.steal))
    lines.push(`during the runs: others took ${percent(foreign.median)} of all cores (most: ${percent(foreign.max)}), the host ${percent(steal.median)} (most: ${percent(steal.max)})`)
  }
  return lines.join('\n')
}

function runs ({ film, runs }) {
  const names = [...new Set(runs.map(run => run.name))]
  const lines = names.map(name => {
    const all = runs.filter(run => run.name === name)
    const by = (value, digits) => all.every(run => value(run) !== undefined) ? told(spread(all.map(value)), digits) : ''
    const peak = kind => Math.max(...all.map(run => run.memory[kind] / MB)).toFixed(0)
    return [name, by(run => run.cpu, 2), by(run => run.wall, 2), by(run => run.playable, 2), by(run => run.pins, 2), peak('all'), peak('media'), peak('rest')]
  })
  if (lines.length === 0) return ''
  const head = ['run', 'CPU s', 'wall s', 'playable s', 'pins CPU s', 'MiB', 'ffmpeg', 'the rest']
  return `${film.name}: ${film.about}; ${film.seconds.toFixed(1)} s, ${(film.bytes / 1e6).toFixed(1)} MB\n${table([head, ...lines])}`
}

function ratios (rows) {
  if (rows.length === 0) return ''
  const limit = ({ least }, value) => value === null ? '' : `${least ? '>=' : '<='} ${value}`
  const word = ({ met, aimed }) => met === null ? '' : met ? aimed ? 'aim' : 'yes' : 'NO'
  const lines = rows.map(one => [one.name, one.film, told(one), limit(one, one.bar), limit(one, one.aim), `${word(one)}${one.note ? ` (${one.note})` : ''}`])
  return table([['ratio, median (least..most) of the rounds', 'film', '', 'bar', 'aim', 'met'], ...lines])
}

function quality ({ film, quality }) {
  if (!quality) return ''
  const cell = ({ rate, vmaf }) => `${rate.toFixed(0)} / ${vmaf.toFixed(2)}`
  const lines = quality.rungs.map(one => [one.rung, cell(one.real), cell(one.base), cell(one.lower),
    one.gain === null ? 'rates too near' : `${one.gain >= 0 ? '+' : ''}${one.gain.toFixed(2)}`])
  return `${film.name}, seconds ${quality.part.from} to ${quality.part.to}: kbit/s / VMAF\n` +
    table([['rung', 'REAL', 'BASE crf 23', 'BASE crf 27', 'REAL minus BASE at the same rate'], ...lines])
}

function rungs ({ films }) {
  const lines = films.flatMap(({ film, runs }) => ['real', 'realcopy'].flatMap(name => {
    const run = runs.filter(run => run.name === name).at(-1)
    return (run?.rungs ?? []).map(one => [`${film.name} ${name}`, one.format, one.resolution, one.type, `${(one.bitrate / 1000).toFixed(0)}`, one.peak ? `${(one.peak / 1000).toFixed(0)}` : '', `${(one.size / 1e6).toFixed(2)}`])
  }))
  return lines.length > 0 ? table([['renditions of the last round', 'format', 'rung', 'made by', 'kbit/s', 'peak', 'MB'], ...lines]) : ''
}
