// Real engines, as `deploy/engines` starts and ends them.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { project } from './server.mjs'

const run = promisify(execFile)
const script = join(project, 'deploy/engines')
/** For any one call, milliseconds: a broker takes its time. */
const LIMIT = 180_000

/** `up`, `down` or `kill` of the named engines. */
export const engines = (verb, ...names) => run(script, [verb, ...names], { timeout: LIMIT, maxBuffer: 16 << 20 })

/** The settings that put Reelpin on the engines that are up. */
export async function settings () {
  const { stdout } = await run(script, ['env', '--product'], { timeout: LIMIT })
  const lines = [...stdout.matchAll(/^export ([A-Z0-9_]+)=(.*)$/gm)]
  // As the shell would read it: what the script quotes it quotes singly.
  const plain = text => text.replace(/^'(.*)'$/, '$1').replace(/^"(.*)"$/, '$1')
  return Object.fromEntries(lines.map(([, name, value]) => [name, plain(value)]))
}

/** The rows of a query, one string each, columns divided by `|`. */
export async function rows (url, query) {
  const { stdout } = await run('psql', ['-AtX', '-c', query, url], { timeout: LIMIT })
  return stdout.trim().split('\n').filter(Boolean)
}
