// A client of the public HTTP API and of presigned URLs, as a page would use them.

import { readFile, stat } from 'node:fs/promises'
import { basename } from 'node:path'

/** For any one call, milliseconds. */
const CALL = 60_000

export class Api {
  constructor (url, key) {
    this.url = url
    this.key = key
  }

  /** The raw answer; `path` may be a whole URL. */
  get (path, headers = {}, more = {}) {
    return this.send('GET', path, undefined, headers, more)
  }

  send (method, path, body, headers = {}, more = {}) {
    const all = { ...headers }
    if (this.key) all.authorization = `Bearer ${this.key}`
    if (body !== undefined) all['content-type'] = 'application/json'
    return fetch(new URL(path, this.url), {
      method,
      headers: all,
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'error',
      signal: AbortSignal.timeout(CALL),
      ...more
    })
  }

  /** The JSON of a call that must succeed. */
  async json (method, path, body) {
    const answer = await this.send(method, path, body)
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return JSON.parse(text)
  }

  /** The problem of a call that must be refused: its status, and the document. */
  async problem (method, path, body, headers) {
    const answer = await this.send(method, path, body, headers)
    const text = await answer.text()
    if (answer.ok) throw new Error(`${method} ${path} was not refused: ${answer.status} ${text}`)
    const type = answer.headers.get('content-type')
    if (type !== 'application/problem+json') throw new Error(`${method} ${path}: ${answer.status} ${type} ${text}`)
    return { status: answer.status, ...JSON.parse(text) }
  }

  /** Draws a ticket for a file. */
  async ticket (file, more = {}) {
    return this.json('POST', '/upload/video', { filename: basename(file), fileSize: (await stat(file)).size, ...more })
  }

  /** Sends a file to a ticket's URL; returns the bucket's answer. */
  async put (ticket, file) {
    return fetch(ticket.presigned_url, { method: 'PUT', headers: ticket.headers, body: await readFile(file), signal: AbortSignal.timeout(CALL) })
  }

  /** The whole upload; returns the record. */
  async upload (file, more) {
    const ticket = await this.ticket(file, more)
    const answer = await this.put(ticket, file)
    if (!answer.ok) throw new Error(`PUT: ${answer.status} ${await answer.text()}`)
    return this.json('POST', `/upload/video/${ticket.video_id}/complete`)
  }
}
