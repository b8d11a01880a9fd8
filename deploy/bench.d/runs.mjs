// The runs of a round by their names. Each is given a film and an empty folder, and returns what it measured.

import { spawnSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { firstFragment } from './fragment.mjs'
import { watch } from './machine.mjs'
import { measured, timed } from './measure.mjs'
import { first, real } from './real.mjs'
import * as references from './references.mjs'

const commands = reference => ({ film }, folder) => measured(reference(film), folder)

/** `film` is what was uploaded, `conforming` the same as a file that could be kept as it is. */
export const RUNS = {
  real: ({ film }, folder, last) => real(film, folder, { keep: last }),
  first: ({ film }, folder) => first(film, folder),
  base: commands(references.base),
  naive: commands(references.naive),
  starter,
  realcopy: ({ conforming }, folder) => real(conforming, folder),
  copy: ({ conforming }, folder) => measured(references.copy(conforming), folder),
  decode: commands(references.decode),
  shaka
}

/** Whether a run can be made here; else why not. */
export function lacking (name) {
  if (name !== 'shaka') return null
  return spawnSync('shaka-streamer', ['--help'], { stdio: 'ignore' }).error ? 'shaka-streamer is not installed' : null
}

async function starter ({ film }, folder) {
  const others = watch()
  const began = performance.now()
  let found
  const { cpu, memory } = await timed(references.starter(film), folder, stream => { found = firstFragment(stream) })
  const wall = (performance.now() - began) / 1000
  const at = await found
  if (at === null) throw new Error('the starter wrote no fragment')
  return { cpu, wall, playable: (at - began) / 1000, memory, machine: others(cpu) }
}

async function shaka ({ film }, folder) {
  const { files, commands } = references.shaka(film)
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return measured(commands, folder)
}
