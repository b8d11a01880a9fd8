// Until when the first piece that can be played has left an encoder.

/** Resolves with the milliseconds of `performance.now()` when the first `moof` with its `mdat` was read whole; null if the stream ends before. */
export async function firstFragment (stream) {
  let bytes = Buffer.alloc(0)
  let moof = false
  let found = null
  for await (const chunk of stream) {
    if (found !== null) continue
    bytes = Buffer.concat([bytes, chunk])
    while (bytes.length >= 8) {
      const size = bytes.readUInt32BE(0)
      const type = bytes.toString('latin1', 4, 8)
      if (size < 8) throw new Error(`a box of ${size} bytes`)
      if (bytes.length < size) break
      bytes = bytes.subarray(size)
      if (type === 'moof') moof = true
      if (type === 'mdat' && moof) { found = performance.now(); break }
    }
  }
  return found
}
