// The command line, and the folder in which everything happens.

import { mkdir, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { removeAtEnd } from './ending.mjs'
import { Stop } from './say.mjs'

/** Reads the arguments of a subcommand: `flags` that stand alone, `names` that --only may have. */
export function options (args, { flags, names, runs }) {
  const found = { files: [], runs: null, only: null, json: null, part: null, work: join(tmpdir(), 'reelpin-bench') }
  const rest = [...args]
  for (const flag of flags) found[flag] = false
  while (rest.length > 0) {
    const [arg, joined] = rest[0].startsWith('--') ? rest.shift().split(/=(.*)/s) : [null, rest.shift()]
    const value = () => joined ?? rest.shift() ?? refuse(`${arg} needs a value.`)
    if (arg === null || arg === '--') found.files.push(...arg === null ? [joined] : rest.splice(0))
    else if (flags.includes(arg.slice(2))) found[arg.slice(2)] = true
    else if (arg === '--runs') found.runs = count(value())
    else if (arg === '--only') found.only = value().split(',').map(name => names.includes(name) ? name : refuse(`--only knows ${names.join(', ')}; not ${name}.`))
    else if (arg === '--json') found.json = resolve(value())
    else if (arg === '--work') found.work = resolve(value())
    else if (arg === '--part') found.part = part(value())
    else refuse(`Unknown option: ${arg}`)
  }
  found.runs ??= found.quick ? 1 : runs
  return found
}

function count (text) {
  const number = Number(text)
  return Number.isInteger(number) && number > 0 ? number : refuse('--runs needs a number of rounds.')
}

function part (text) {
  const [from, to] = text.split(':').map(Number)
  return from >= 0 && to > from ? { from, to } : refuse('--part needs two seconds, such as 12:20.')
}

function refuse (sentence) {
  throw new Stop(sentence)
}

/** `{ sources, folder() }`: where sources are kept, and what makes a new empty folder for each run, removed at the end. */
export async function workplace (work) {
  const runs = join(work, 'runs')
  await mkdir(runs, { recursive: true })
  const own = await mkdtemp(join(runs, `${process.pid}-`))
  removeAtEnd(own)
  let number = 0
  return {
    sources: join(work, 'sources'),
    async folder (name) {
      const folder = join(own, `${++number}-${name}`)
      await mkdir(folder)
      return folder
    }
  }
}
