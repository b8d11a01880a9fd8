// The ratios that are looked at, and what they should be.

import { spread } from './statistics.mjs'

/** `of` over `to` of the same round, by the value `by`; `bar` and `aim` are the most it may be. */
const RATIOS = [
  { name: 'CPU: REAL / BASE', of: 'real', to: 'base', by: 'cpu', bar: 1.02, aim: 0.97 },
  { name: 'CPU: REAL / NAIVE', of: 'real', to: 'naive', by: 'cpu', bar: 0.40 },
  { name: 'CPU: REAL of a conforming film / COPY', of: 'realcopy', to: 'copy', by: 'cpu', bar: 1.05 },
  { name: 'seconds to playable: REAL / STARTER', of: 'real', to: 'starter', by: 'playable', bar: 1.5, aim: 1.2 },
  { name: 'seconds to playable: FIRST / STARTER', of: 'first', to: 'starter', by: 'playable', bar: 1.5, aim: 1.2 },
  { name: 'CPU: REAL / shaka-streamer (HLS alone)', of: 'real', to: 'shaka', by: 'cpu' },
  { name: 'CPU: BASE / NAIVE', of: 'base', to: 'naive', by: 'cpu' },
  { name: 'CPU: DECODE / BASE', of: 'decode', to: 'base', by: 'cpu' },
  { name: 'seconds: REAL / BASE', of: 'real', to: 'base', by: 'wall' }
]

/** Values of REAL that have a bar of their own. */
const VALUES = [
  { name: 'bytes of HLS and MP4 / bytes of HLS', of: 'real', value: run => run.stored.written, bar: 2.05 },
  { name: 'MiB beside ffmpeg, at most', of: 'real', value: run => run.memory.rest / 1024 / 1024, bar: 256 },
  { name: 'bytes in the bucket / byte of a rendition', of: 'real', value: run => run.stored.bucketPerByte },
  { name: 'bytes in the block store / byte of a rendition', of: 'real', value: run => run.stored.ipfsPerByte }
]

/** A row of the table: medians of `values`, `least` where a bar says how much it must be at least. */
export function row (name, film, values, { bar = null, aim = null, least = false, note = null } = {}) {
  const found = spread(values)
  const met = limit => limit === null ? null : least ? found.median >= limit : found.median <= limit
  return { name, film, ...found, bar, aim, least, met: met(bar), aimed: met(aim), note }
}

/** The rows of one film from its runs, `{ name, round, ... }`. */
export function rows (film, runs) {
  const of = name => runs.filter(run => run.name === name)
  const ratios = RATIOS.map(one => {
    const pairs = of(one.of).flatMap(run => of(one.to).filter(other => other.round === run.round).map(other => run[one.by] / other[one.by]))
    return pairs.length > 0 && row(one.name, film, pairs, one)
  })
  const values = VALUES.map(one => of(one.of).length > 0 && row(one.name, film, of(one.of).map(one.value), one))
  return [...ratios, ...values].filter(Boolean)
}
