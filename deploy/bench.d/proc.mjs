// Linux's own accounts of processes: CPU seconds and memory of one with all that it started.

import { readFileSync, readdirSync } from 'node:fs'

/** Ticks of /proc/PID/stat in a second: USER_HZ, 100 on every architecture that Reelpin runs on (proc(5), sysconf(3)). */
const TICKS = 100

function read (path) {
  try { return readFileSync(path, 'latin1') } catch { return '' }
}

/** Every process: `{ pid, parent, name, cpu }`, `cpu` in seconds with those of the children it has waited for. */
function processes () {
  return readdirSync('/proc').filter(name => /^\d+$/.test(name)).map(pid => {
    const stat = read(`/proc/${pid}/stat`)
    // The name stands in parentheses and may hold anything; the fields after it begin with number 3.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = [14, 15, 16, 17].reduce((sum, number) => sum + Number(fields[number - 3]), 0)
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    return { pid: Number(pid), parent: Number(fields[1]), name, cpu: ticks / TICKS }
  }).filter(one => one.name !== '')
}

/** A process and all below it. */
export function tree (root) {
  const all = processes()
  const below = new Map()
  for (const one of all) below.set(one.parent, [...below.get(one.parent) ?? [], one])
  const walk = one => [one, ...(below.get(one.pid) ?? []).flatMap(walk)]
  return all.filter(one => one.pid === root).flatMap(walk)
}

/** CPU seconds, user and system, of these processes, all below them, and all that these have waited for. */
export function cpuSeconds (...roots) {
  return roots.flatMap(tree).reduce((sum, one) => sum + one.cpu, 0)
}

/** Bytes of memory of a process: its share of shared pages where the kernel tells, else all of them. */
function bytes (pid) {
  const rollup = /^Pss:\s+(\d+) kB/m.exec(read(`/proc/${pid}/smaps_rollup`))
  const found = rollup ?? /^VmRSS:\s+(\d+) kB/m.exec(read(`/proc/${pid}/status`))
  return found ? Number(found[1]) * 1024 : 0
}

/** Looks at the memory of process trees every half second until it is stopped. */
export class Memory {
  constructor (...roots) {
    this.roots = roots
    this.peak = { all: 0, media: 0, rest: 0 }
    this.timer = setInterval(() => this.#look(), 500)
  }

  /** The peaks in bytes: of all, of ffmpeg and ffprobe alone, and of the rest alone. */
  stop () {
    clearInterval(this.timer)
    return this.peak
  }

  #look () {
    let media = 0
    let rest = 0
    for (const one of this.roots.flatMap(tree)) {
      if (/^ff(mpeg|probe)/.test(one.name)) media += bytes(one.pid)
      else rest += bytes(one.pid)
    }
    this.peak.all = Math.max(this.peak.all, media + rest)
    this.peak.media = Math.max(this.peak.media, media)
    this.peak.rest = Math.max(this.peak.rest, rest)
  }
}
