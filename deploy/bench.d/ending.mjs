// What must be undone however the benchmark ends: processes that it started, folders that it made.

import { rmSync } from 'node:fs'
import { constants } from 'node:os'

const undo = new Set()

// Node takes SIGHUP back from nohup; setsid keeps a long run from it.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    process.stderr.write(`\n${signal}: everything that was started is ended.\n`)
    process.exit(128 + constants.signals[signal])
  })
}
process.on('exit', () => {
  for (const one of [...undo].reverse()) {
    try { one() } catch {}
  }
})

/** Calls `one` (synchronous) at the end; returns what takes that back. */
export function atEnd (one) {
  undo.add(one)
  return () => undo.delete(one)
}

/** Removes a folder at the end; the function that is returned removes it at once. */
export function removeAtEnd (folder) {
  const remove = () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 })
  const forget = atEnd(remove)
  return () => { forget(); remove() }
}

/** Ends a detached child and its process group by SIGKILL at the end, unless it has ended before. */
export function killAtEnd (child) {
  const forget = atEnd(() => process.kill(-child.pid, 'SIGKILL'))
  child.once('exit', forget)
}
