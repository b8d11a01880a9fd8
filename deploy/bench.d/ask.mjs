// Runs a program that is not measured, for what it prints.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { atEnd } from './ending.mjs'

const run = promisify(execFile)

/** For any one, milliseconds. */
const LIMIT = 2 * 3600_000

/** Its standard output; fails with what it said when it does not end well. */
export async function ask (program, args, cwd) {
  const running = run(program, args, { cwd, timeout: LIMIT, maxBuffer: 256 << 20 })
  const forget = atEnd(() => running.child.kill('SIGKILL'))
  try {
    return (await running).stdout
  } finally {
    forget()
  }
}
