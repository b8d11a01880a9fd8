// Signed GETs of a bucket (AWS Signature Version 4), of the local one with the keys of the data folder: what
// an operator's own tool would do.

import { createHash, createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

const EMPTY = createHash('sha256').update('').digest('hex')
const REGION = 'us-east-1'

export class Bucket {
  /** The bucket of a running server. */
  static async of (server) {
    const bucket = new Bucket()
    bucket.url = server.bucket
    bucket.id = (await readFile(join(server.data, 'secrets/bucket.id'), 'utf8')).trim()
    bucket.secret = (await readFile(join(server.data, 'secrets/bucket'), 'utf8')).trim()
    return bucket
  }

  /** A bucket `reelpin` anywhere. */
  static at (url, id, secret) {
    return Object.assign(new Bucket(), { url, id, secret })
  }

  /** The bytes under a key; fails when there are none. */
  async object (key) {
    const answer = await this.#get(`/reelpin/${key}`, '')
    if (!answer.ok) throw new Error(`${key}: ${answer.status} ${await answer.text()}`)
    return Buffer.from(await answer.arrayBuffer())
  }

  /** Every key that begins so. */
  async keys (prefix) {
    const list = () => this.#get('/reelpin', `list-type=2&max-keys=1000&prefix=${encodeURIComponent(prefix)}`)
    let answer = await list()
    // As every S3 client does: the local bucket's list can meet a file that is just being removed.
    for (let tries = 1; answer.status >= 500 && tries < 5; tries++) answer = await list()
    const xml = await answer.text()
    if (!answer.ok || xml.includes('<IsTruncated>true')) throw new Error(`list: ${answer.status} ${xml.slice(0, 400)}`)
    return [...xml.matchAll(/<Key>([^<]*)<\/Key>/g)].map(([, key]) => key)
  }

  #get (path, query) {
    const host = new URL(this.url).host
    const at = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
    const scope = `${at.slice(0, 8)}/${REGION}/s3/aws4_request`
    const signed = 'host;x-amz-content-sha256;x-amz-date'
    const asked = ['GET', path, query, `host:${host}`, `x-amz-content-sha256:${EMPTY}`, `x-amz-date:${at}`, '', signed, EMPTY].join('\n')
    const text = ['AWS4-HMAC-SHA256', at, scope, createHash('sha256').update(asked).digest('hex')].join('\n')
    const hmac = (key, data) => createHmac('sha256', key).update(data).digest()
    const key = [...scope.split('/')].reduce(hmac, `AWS4${this.secret}`)
    return fetch(`${this.url}${path}${query && '?'}${query}`, {
      headers: {
        'x-amz-date': at,
        'x-amz-content-sha256': EMPTY,
        authorization: `AWS4-HMAC-SHA256 Credential=${this.id}/${scope}, SignedHeaders=${signed}, Signature=${hmac(key, text).toString('hex')}`
      },
      signal: AbortSignal.timeout(60_000)
    })
  }
}
