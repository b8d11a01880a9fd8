// The product as it is run: `reelpin serve` over a fresh folder, and more workers beside it.

import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { request } from 'node:http'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Api } from '../tests/e2e/lib/api.mjs'
import { Feed } from '../tests/e2e/lib/feed.mjs'
import { freeListeners, project } from '../tests/e2e/lib/server.mjs'
import { atEnd, killAtEnd } from './ending.mjs'
import { removeElsewhere } from './stored.mjs'

/** How long a start and a stop may take, milliseconds. */
const START = 90_000
const STOP = 60_000

/** The pause after an upload, milliseconds. */
const SETTLE = 2000

const binary = name => join(dirname(process.env.REELPIN_BENCH_BINARY), name)

/** A running server with its data below a folder of the benchmark. */
export class Reelpin {
  /** Resolves when it answers. `core` binds it, and all it starts, to one core. Originals are not pinned, so that pins begin after `completed`. */
  static async start (folder, { core } = {}) {
    const self = new Reelpin()
    self.data = join(folder, 'data')
    await mkdir(self.data, { recursive: true })
    self.listeners = await freeListeners()
    self.url = `http://${self.listeners.REELPIN_LISTEN}`
    self.api = new Api(self.url)
    self.workers = []
    self.log = []
    self.forget = atEnd(() => removeElsewhere(self.data))
    self.child = self.#spawn('reelpin', ['serve', '--data', self.data, '--web', join(project, 'web')], { ...self.listeners, REELPIN_PIN_ORIGINAL: 'false' }, core)
    const ready = new Promise(resolve => self.onLine = line => line.startsWith('Reelpin is ready: ') && resolve(true))
    const ended = once(self.child, 'exit').then(() => false)
    if (!await Promise.race([ready, ended, sleep(START, false, { ref: false })])) {
      throw new Error(`reelpin did not start:\n${self.log.join('\n')}`)
    }
    return self
  }

  /** The process ids whose trees are the product. */
  get roots () {
    return [this.child.pid, ...this.workers.map(worker => worker.pid)]
  }

  /** Starts one more worker on the same engines: the service of a cluster, bound to a core. */
  async addWorker (core) {
    const secret = async name => (await readFile(join(this.data, 'secrets', name), 'utf8')).trim()
    const elsewhere = await readFile(join(this.data, 'postgres.elsewhere'), 'utf8').catch(() => null)
    const database = elsewhere ? join('/var/lib/reelpin', elsewhere.trim()) : join(this.data, 'postgres')
    const [, , , port, sockets] = (await readFile(join(database, 'cluster/postmaster.pid'), 'utf8')).split('\n')
    const password = (await readFile(join(database, 'password'), 'utf8')).trim()
    this.workers.push(this.#spawn('reelpin-transcoder', [], {
      REELPIN_DATABASE_URL: `postgresql://reelpin:${password}@${encodeURIComponent(sockets.trim())}:${port}/reelpin`,
      REELPIN_S3_ENDPOINT: `http://${this.listeners.REELPIN_S3_LISTEN}`,
      REELPIN_S3_BUCKET: 'reelpin',
      REELPIN_S3_ACCESS_KEY: await secret('bucket.id'),
      REELPIN_S3_SECRET_KEY: await secret('bucket'),
      REELPIN_IPFS_RPC: `http://${this.listeners.REELPIN_IPFS_RPC_LISTEN}`,
      REELPIN_IPFS_RPC_AUTH: `reelpin:${await secret('ipfs-rpc')}`,
      REELPIN_PIN_ORIGINAL: 'false',
      REELPIN_WORK: join(this.data, `work-${this.workers.length + 2}`),
      REELPIN_WORKER_NAME: `worker ${this.workers.length + 2}`
    }, core))
    await sleep(1000)
    if (this.workers.at(-1).exitCode !== null) throw new Error(`the second worker ended:\n${this.log.join('\n')}`)
  }

  /**
   * Sends a film to the bucket, as a browser would; returns its id. `complete` says that it is there. No browser sends
   * gigabytes as fast as this: a disk that still has them to write would be measured, so it is given the time for it.
   */
  async put (film) {
    const ticket = await this.api.ticket(film.path)
    const { size } = await stat(film.path)
    const asked = request(ticket.presigned_url, { method: 'PUT', headers: { ...ticket.headers, 'content-length': size } })
    createReadStream(film.path, { highWaterMark: 1 << 20 }).pipe(asked)
    const [answer] = await once(asked, 'response')
    // Who refuses need not read to the end.
    asked.on('error', () => {})
    answer.resume()
    if (answer.statusCode >= 300) throw new Error(`the bucket answered ${answer.statusCode}`)
    await promisify(execFile)('sync')
    await sleep(SETTLE)
    return ticket.video_id
  }

  complete (id) {
    return this.api.json('POST', `/upload/video/${id}/complete`)
  }

  /**
   * Every event of a video from the first one, until `last` says yes to one or `signal` aborts; fails
   * when the video does. `heard` is called with each. Returns all, in order.
   */
  async follow (id, last, { heard = () => {}, within = 6 * 3600_000 } = {}) {
    const events = []
    const deadline = Date.now() + within
    while (Date.now() < deadline) {
      const feed = await Feed.open(this.url)
      const timer = setTimeout(() => feed.drop(), deadline - Date.now())
      try {
        feed.send({ op: 'subscribe', videos: [id], since: { [id]: events.at(-1)?.seq ?? 0 } })
        for await (const message of feed) {
          if (message.type !== 'event') continue
          events.push(message)
          heard(message)
          if (message.name === 'failed') throw new Error(`the video failed: ${JSON.stringify(message.data)}\n${this.log.slice(-20).join('\n')}`)
          if (last(message)) return events
        }
      } catch (error) {
        if (!/feed|socket|ECONNRESET/.test(error.message)) throw error
        if (this.child.exitCode !== null) throw new Error(`reelpin ended:\n${this.log.slice(-20).join('\n')}`)
      } finally {
        clearTimeout(timer)
        feed.close()
      }
    }
    return events
  }

  /** Ends everything, politely and then not. */
  async stop () {
    for (const child of [...this.workers, this.child]) {
      if (child.exitCode !== null || child.signalCode !== null) continue
      const ended = once(child, 'exit').then(() => true)
      child.kill('SIGINT')
      if (!await Promise.race([ended, sleep(STOP, false, { ref: false })])) {
        process.kill(-child.pid, 'SIGKILL')
        await ended
      }
    }
    removeElsewhere(this.data)
    this.forget()
  }

  #spawn (name, args, settings, core) {
    if (!existsSync(binary(name))) throw new Error(`there is no ${binary(name)}; deploy/bench builds it without --no-build`)
    const outside = Object.entries(process.env).filter(([name]) => !name.startsWith('REELPIN_'))
    const bound = core === undefined ? [] : ['taskset', '-c', `${core}`]
    const [program, ...rest] = [...bound, binary(name), ...args]
    const child = spawn(program, rest, { env: { ...Object.fromEntries(outside), ...settings }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
    killAtEnd(child)
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', line => {
        this.log.push(line)
        if (this.log.length > 500) this.log.shift()
        this.onLine?.(line)
      })
    }
    return child
  }
}
