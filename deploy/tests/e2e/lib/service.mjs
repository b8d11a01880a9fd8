// One of a cluster's services as a process: `reelpin-gateway` or `reelpin-transcoder`.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { project } from './server.mjs'

const built = join(resolve(project, process.env.CARGO_TARGET_DIR ?? 'target'), 'debug')
/** How long one may take to end, milliseconds. */
const STOP = 30_000

export class Service {
  /** Starts it with these settings; it is stopped after the test. */
  constructor (t, name, env) {
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('REELPIN_') && name !== 'NODE_TEST_CONTEXT')
    this.name = name
    this.log = []
    this.child = spawn(join(built, name), [], {
      env: { ...Object.fromEntries(outside), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    this.ended = once(this.child, 'exit')
    for (const stream of [this.child.stdout, this.child.stderr]) {
      createInterface({ input: stream }).on('line', line => this.log.push(line))
    }
    t.after(() => this.stop())
  }

  get runs () {
    return this.child.exitCode === null && this.child.signalCode === null
  }

  async stop () {
    if (!this.runs) return
    this.child.kill('SIGTERM')
    const late = new Promise(resolve => setTimeout(resolve, STOP, 'late').unref())
    if (await Promise.race([this.ended, late]) === 'late') this.child.kill('SIGKILL')
    await this.ended
  }
}
