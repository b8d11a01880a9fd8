// A WebSocket client, as small as the tests need (RFC 6455, text frames): Node has one of its own
// only from version 22.

import { createHash, randomBytes } from 'node:crypto'
import { request } from 'node:http'

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** The longest silence and the longest handshake, milliseconds. */
const QUIET = 180_000

/** An open feed: `send(value)`, and messages by `for await`, until someone closes. */
export class Feed {
  #socket
  #chunks = Buffer.alloc(0)
  #waiting = []
  #messages = []
  #closed = null

  /** Connects to `/ws` of the server, with more headers when given; fails with the status otherwise. */
  static open (url, { path = '/ws', headers = {} } = {}) {
    const key = randomBytes(16).toString('base64')
    const asked = request(new URL(path, url), {
      headers: { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key, ...headers },
      timeout: QUIET
    })
    return new Promise((resolve, reject) => {
      asked.on('error', reject)
      asked.on('timeout', () => asked.destroy(new Error('no answer to the handshake')))
      asked.on('response', answer => {
        answer.resume()
        reject(Object.assign(new Error(`no feed: ${answer.statusCode}`), { status: answer.statusCode }))
      })
      asked.on('upgrade', (answer, socket, head) => {
        const accept = createHash('sha1').update(key + GUID).digest('base64')
        if (answer.headers['sec-websocket-accept'] !== accept) reject(new Error('a wrong handshake'))
        const feed = new Feed()
        feed.#socket = socket
        socket.setTimeout(QUIET, () => socket.destroy(new Error('a silent feed')))
        socket.on('data', chunk => feed.#take(chunk))
        socket.on('error', error => feed.#end({ error }))
        socket.on('close', () => feed.#end({}))
        feed.#take(head)
        resolve(feed)
      })
      asked.end()
    })
  }

  send (value) {
    this.#frame(1, Buffer.from(JSON.stringify(value)))
  }

  close () {
    this.#frame(8, Buffer.alloc(0))
    this.#socket.end()
  }

  /** The connection is gone without a word. */
  drop () {
    this.#socket.destroy()
  }

  /** The code of the server's close frame, once it came. */
  get closeCode () {
    return this.#closed?.code
  }

  async * [Symbol.asyncIterator] () {
    for (;;) {
      if (this.#messages.length > 0) yield this.#messages.shift()
      else if (this.#closed?.error) throw this.#closed.error
      else if (this.#closed) return
      else await new Promise(resolve => this.#waiting.push(resolve))
    }
  }

  #frame (opcode, payload) {
    if (this.#socket.destroyed) return
    const length = payload.length < 126
      ? Buffer.from([0x80 | payload.length])
      : Buffer.from([0x80 | 126, payload.length >> 8, payload.length & 255])
    const mask = randomBytes(4)
    const masked = payload.map((byte, i) => byte ^ mask[i & 3])
    this.#socket.write(Buffer.concat([Buffer.from([0x80 | opcode]), length, mask, masked]))
  }

  #take (chunk) {
    this.#chunks = Buffer.concat([this.#chunks, chunk])
    for (;;) {
      const bytes = this.#chunks
      if (bytes.length < 2) return
      let length = bytes[1] & 127
      let at = 2
      if (length === 126) {
        if (bytes.length < 4) return
        length = bytes.readUInt16BE(2)
        at = 4
      } else if (length === 127) {
        if (bytes.length < 10) return
        length = Number(bytes.readBigUInt64BE(2))
        at = 10
      }
      if (bytes.length < at + length) return
      const payload = bytes.subarray(at, at + length)
      this.#chunks = bytes.subarray(at + length)
      const opcode = bytes[0] & 15
      if (opcode === 1) this.#push(JSON.parse(payload.toString()))
      else if (opcode === 8) this.#end({ code: payload.length >= 2 ? payload.readUInt16BE(0) : 1005 })
      else if (opcode === 9) this.#frame(10, payload)
    }
  }

  #push (message) {
    this.#messages.push(message)
    this.#wake()
  }

  #end (how) {
    this.#closed ??= how
    this.#socket.end()
    this.#wake()
  }

  #wake () {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}

/** Follows one video and returns its events in order, up to the one that `last` says yes to. */
export async function follow (url, { key, video, since = 0 }, last) {
  const feed = await Feed.open(url)
  if (key) feed.send({ op: 'auth', key })
  feed.send({ op: 'subscribe', videos: [video], since: { [video]: since } })
  const heard = { snapshot: null, events: [], progress: [] }
  try {
    for await (const message of feed) {
      if (message.type === 'snapshot') heard.snapshot ??= message
      if (message.type === 'progress') heard.progress.push(message)
      if (message.type !== 'event') continue
      heard.events.push(message)
      if (last(message, heard.events)) return heard
    }
  } finally {
    feed.close()
  }
  throw new Error(`the feed ended (${feed.closeCode}) after ${heard.events.map(event => event.name)}`)
}
