// Starts `reelpin serve` on free ports over a folder, and ends it: politely, or as a power cut would.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

export const project = fileURLToPath(new URL('../../../..', import.meta.url))
const binary = join(resolve(project, process.env.CARGO_TARGET_DIR ?? 'target'), 'debug/reelpin')

/** How long a start may take, milliseconds: the first one makes a database on busy cores. */
const START = 90_000
/** How long a stop may take, milliseconds. */
const STOP = 60_000

const running = new Set()

/**
 * A folder below the system's temporary one. After the test every server is stopped, and the folder
 * removed with what a server kept elsewhere.
 */
export async function dataFolder (t) {
  const folder = await mkdtemp(join(tmpdir(), 'reelpin-e2e-'))
  t.after(async () => {
    for (const server of running) await server.stop()
    // Where PostgreSQL's user cannot reach the folder, its files lie in the system's state folder.
    const elsewhere = await readFile(join(folder, 'data/postgres.elsewhere'), 'utf8').catch(() => '')
    if (/^[0-9a-f]+$/.test(elsewhere.trim())) {
      await rm(join('/var/lib/reelpin', elsewhere.trim()), { recursive: true, force: true })
    }
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  })
  return folder
}

/** Four different free ports of the loopback, as the settings of the local stack. */
export async function freeListeners () {
  const names = ['REELPIN_LISTEN', 'REELPIN_S3_LISTEN', 'REELPIN_IPFS_RPC_LISTEN', 'REELPIN_IPFS_GATEWAY_LISTEN']
  const servers = names.map(() => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const listeners = Object.fromEntries(names.map((name, i) => [name, `127.0.0.1:${servers[i].address().port}`]))
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return listeners
}

/** A running server: its addresses, and three ways to end it. */
export class Server {
  /** Resolves when it says that it is ready; what it printed is in the error when it does not. */
  static async start ({ data, listeners, env = {} }) {
    const server = new Server()
    server.url = `http://${listeners.REELPIN_LISTEN}`
    server.bucket = `http://${listeners.REELPIN_S3_LISTEN}`
    server.rpc = `http://${listeners.REELPIN_IPFS_RPC_LISTEN}`
    server.gateway = `http://${listeners.REELPIN_IPFS_GATEWAY_LISTEN}`
    server.data = data
    server.log = []
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('REELPIN_') && name !== 'NODE_TEST_CONTEXT')
    const began = Date.now()
    server.child = spawn(binary, ['serve', '--data', data, '--web', join(project, 'web')], {
      env: { ...Object.fromEntries(outside), ...listeners, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true
    })
    running.add(server)
    server.ended = once(server.child, 'exit').then(([code, signal]) => ({ code, signal }), error => ({ error }))
    const ready = new Promise(resolve => {
      for (const stream of [server.child.stdout, server.child.stderr]) {
        createInterface({ input: stream }).on('line', line => {
          server.log.push(line)
          if (line.startsWith('Reelpin is ready: ')) resolve('ready')
        })
      }
    })
    const outcome = await Promise.race([ready, server.ended, late(START, 'not ready in time')])
    if (outcome !== 'ready') {
      await server.killAll()
      throw new Error(`the server did not start: ${JSON.stringify(outcome)}\n${server.log.join('\n')}`)
    }
    server.startMs = Date.now() - began
    return server
  }

  /** As Ctrl-C; returns how it ended. Whatever is left of it after the time limit is killed. */
  async stop () {
    running.delete(this)
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGINT')
    const outcome = await Promise.race([this.ended, late(STOP, 'not stopped in time')])
    if (outcome.late) await this.killAll()
    return outcome
  }

  /** SIGKILL of the server alone. */
  async killServer () {
    this.child.kill('SIGKILL')
    await this.ended
  }

  /** SIGKILL of the server and of every process below it, at once. */
  async killAll () {
    const pids = [...await this.descendants(), this.child.pid]
    for (const pid of pids) {
      if (pid !== undefined) {
        try { process.kill(pid, 'SIGKILL') } catch {}
      }
    }
    await this.ended
    return pids
  }

  /** Process ids below the server. */
  async descendants () {
    const children = new Map()
    for (const { pid, parent } of await processes()) {
      children.set(parent, [...children.get(parent) ?? [], pid])
    }
    const below = pid => (children.get(pid) ?? []).flatMap(child => [child, ...below(child)])
    return below(this.child.pid)
  }
}

/** Which of these processes still run; what waits to be reaped does not. */
export async function alive (pids) {
  return (await processes()).filter(one => pids.includes(one.pid) && one.state !== 'Z')
}

async function processes () {
  const found = await Promise.all((await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(async pid => {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
    // The name stands in parentheses and may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    return { pid: Number(pid), name, state: fields[0], parent: Number(fields[1]) }
  }))
  return found.filter(one => one.name !== '')
}

function late (ms, what) {
  return new Promise(resolve => setTimeout(resolve, ms, { late: what }).unref())
}
