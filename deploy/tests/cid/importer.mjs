// The one place that holds the parameters: those of the profile unixfs-v1-2025, each by name.

import { importer } from 'ipfs-unixfs-importer'
import { BlackHoleBlockstore } from 'blockstore-core/black-hole'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'
import { balanced } from 'ipfs-unixfs-importer/layout'

const parameters = {
  cidVersion: 1,
  rawLeaves: true,
  reduceSingleLeafToSelf: true,
  chunker: fixedSize({ chunkSize: 1_048_576 }),
  layout: balanced({ maxChildrenPerNode: 1024 }),
  shardFanoutBits: 8,
  shardSplitThresholdBytes: 262_144,
  shardSplitStrategy: 'block-bytes',
  // One file at a time and few blocks, so that memory stays small.
  fileImportConcurrency: 1,
  blockWriteConcurrency: 4
}

// Names one file; `content` gives its bytes in any pieces.
export async function file (content) {
  let named
  for await (const entry of importer([{ content }], new BlackHoleBlockstore(), { ...parameters })) named = entry
  return { cid: named.cid.toString(), dagSize: Number(named.size) }
}

// Names a folder of `{ path, content }`; no block is kept.
export async function folder (entries) {
  let root
  const options = { ...parameters, wrapWithDirectory: true }
  for await (const entry of importer(entries, new BlackHoleBlockstore(), options)) root = entry
  if (root == null) throw new Error('a folder without files')
  return { cid: root.cid.toString(), dagSize: Number(root.size) }
}
