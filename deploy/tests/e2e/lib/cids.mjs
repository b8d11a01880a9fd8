// Content ids of what was published, by ../../cid/verify.mjs, which shares no code with Reelpin.

import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const verify = fileURLToPath(new URL('../../cid/verify.mjs', import.meta.url))

/**
 * Writes `published.all` below `scratch` as the published folder, where `master.m3u8` stands beside
 * the master that it means, and names it, every file in it, and the original.
 */
export async function cids (scratch, original, published) {
  const root = join(scratch, 'published')
  const all = { ...published.all, 'master.m3u8': published.files['master.m3u8'] }
  for (const [path, bytes] of Object.entries(all)) {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), bytes)
  }
  const asked = [original, root, ...Object.keys(all).map(path => join(root, path))]
  const { stdout } = await run(process.execPath, [verify, ...asked], { timeout: 120_000, maxBuffer: 16 << 20 })
  const named = Object.fromEntries(stdout.trimEnd().split('\n').map(line => {
    const [cid, , ...path] = line.split(' ')
    return [path.join(' '), cid]
  }))
  const files = Object.fromEntries(Object.keys(all).map(path => [path, named[join(root, path)]]))
  return { original: named[original], root: named[root], files }
}
