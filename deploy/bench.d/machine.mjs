// What the machine is, and how much of it others take meanwhile.

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cpus, loadavg, release, totalmem } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'

/** How long the look at an idle machine takes, milliseconds. */
const LOOK = 5000

/** Below these shares of all cores, a machine counts as quiet. */
const QUIET = { busy: 0.05, steal: 0.01 }

/** The machine in plain values. */
export function machine () {
  const version = execFileSync('ffmpeg', ['-version'], { encoding: 'utf8' }).split('\n', 1)[0]
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    kernel: release(),
    ffmpeg: version.replace(/ Copyright.*/, ''),
    node: process.version
  }
}

/** CPU seconds of all cores since the start: of work, and stolen by the host (proc(5), /proc/stat, USER_HZ = 100). */
function account () {
  const fields = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/).slice(1).map(Number)
  const [user, nice, system, , , irq, softirq, steal] = fields.map(ticks => ticks / 100)
  return { busy: user + nice + system + irq + softirq, steal, at: performance.now() }
}

/** Measures what others take, from now on. */
export function watch () {
  const from = account()
  const load = loadavg()[0]
  /** Shares of all cores, of which `own` CPU seconds were ours. */
  return own => {
    const to = account()
    const all = (to.at - from.at) / 1000 * cpus().length
    return {
      load,
      foreign: Math.max(0, to.busy - from.busy - own) / all,
      steal: (to.steal - from.steal) / all
    }
  }
}

/** Looks for some seconds at a machine that should have nothing to do. */
export async function quiet () {
  const stop = watch()
  await sleep(LOOK)
  const found = stop(0)
  return { ...found, quiet: found.foreign < QUIET.busy && found.steal < QUIET.steal }
}
