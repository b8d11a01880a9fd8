// Runs command lines and measures them: CPU seconds of the whole tree, wall seconds, peak memory.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { killAtEnd } from './ending.mjs'
import { watch } from './machine.mjs'
import { Memory } from './proc.mjs'

/** For any one command, milliseconds: 3 hours. */
const LIMIT = 3 * 3600_000

/** What bash's `time` writes: user and system seconds of all children, to the millisecond. */
const TIMED = 'exec 4>&2; { time "$@" 2>&4 4>&- 5>&-; } 2>&5'

/**
 * Runs one command after the other in `cwd`; fails with the first that does.
 * `{ cpu, wall, memory, machine }`: seconds, seconds, peaks in bytes, and what others took.
 */
export async function measured (commands, cwd) {
  const others = watch()
  const began = performance.now()
  let cpu = 0
  const memory = { all: 0, media: 0, rest: 0 }
  for (const command of commands) {
    const one = await timed(command, cwd)
    cpu += one.cpu
    for (const name of Object.keys(memory)) memory[name] = Math.max(memory[name], one.memory[name])
  }
  return { cpu, wall: (performance.now() - began) / 1000, memory, machine: others(cpu) }
}

/** One command; `media` is given the stream of its descriptor 3, where it writes one. */
export async function timed (command, cwd, media) {
  const child = spawn('bash', ['-c', TIMED, 'bench', ...command], {
    cwd,
    env: { ...process.env, TIMEFORMAT: '%U %S', LC_ALL: 'C' },
    stdio: ['ignore', 'ignore', 'pipe', media ? 'pipe' : 'ignore', 'ignore', 'pipe'],
    detached: true,
    timeout: LIMIT
  })
  killAtEnd(child)
  const memory = new Memory(child.pid)
  const said = text(child.stderr)
  const times = text(child.stdio[5])
  media?.(child.stdio[3])
  const [code, signal] = await once(child, 'exit')
  const peaks = memory.stop()
  if (code !== 0) {
    throw new Error(`${command[0]} ended with ${signal ?? code}: ${(await said).slice(-2000)}\n${command.join(' ')}`)
  }
  const [user, system] = (await times).trim().split(' ').map(Number)
  return { cpu: user + system, memory: peaks }
}

async function text (stream) {
  let all = ''
  for await (const chunk of stream) all = (all + chunk).slice(-16_384)
  return all
}
