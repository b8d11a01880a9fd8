// Prints the content ids of files and folders, computed with ipfs-unixfs-importer.
//
//   node verify.mjs PATH...        paths as arguments
//   ls | node verify.mjs -         paths from standard input, one a line
//
// For each path one line: `<cid> <dag size in bytes> <path>`. A folder is named with everything in
// it, as a published root is; symbolic links are followed. Exit code 1 when a path cannot be read.

import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { file, folder } from './importer.mjs'

const args = process.argv.slice(2)
if (args.length === 0) {
  console.error('usage: node verify.mjs PATH... | -')
  process.exit(2)
}

for await (const path of args[0] === '-' ? createInterface({ input: process.stdin }) : args) {
  if (path === '') continue
  const { cid, dagSize } = (await stat(path)).isDirectory()
    ? await folder(below(path, ''))
    : await file(createReadStream(path, { highWaterMark: 1 << 20 }))
  console.log(`${cid} ${dagSize} ${path}`)
}

async function * below (root, inner) {
  for (const name of (await readdir(join(root, inner))).sort()) {
    const path = inner === '' ? name : `${inner}/${name}`
    const full = join(root, path)
    if ((await stat(full)).isDirectory()) {
      yield * below(root, path)
    } else {
      yield { path, content: createReadStream(full, { highWaterMark: 1 << 20 }) }
    }
  }
}
