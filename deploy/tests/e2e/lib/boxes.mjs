// Reads the times out of fragmented MP4 boxes (ISO/IEC 14496-12), without a decoder.

/** Children of a range of boxes: `{ type, body }`, `body` without the header. */
export function * boxes (bytes) {
  for (let at = 0; at + 8 <= bytes.length;) {
    let size = bytes.readUInt32BE(at)
    let header = 8
    if (size === 1) {
      size = Number(bytes.readBigUInt64BE(at + 8))
      header = 16
    }
    if (size === 0) size = bytes.length - at
    if (size < header || at + size > bytes.length) throw new Error(`a broken box at ${at}`)
    yield { type: bytes.toString('latin1', at + 4, at + 8), body: bytes.subarray(at + header, at + size) }
    at += size
  }
}

/** The first box down a path such as `moov/trak/mdia/mdhd`, or undefined. */
export function find (bytes, path) {
  const [type, ...rest] = path.split('/')
  for (const box of boxes(bytes)) {
    if (box.type !== type) continue
    if (rest.length === 0) return box.body
    const inner = find(box.body, rest.join('/'))
    if (inner) return inner
  }
}

/** Of an init segment with one track: ticks per second, and where its edit list begins, in ticks. */
export function track (init) {
  const mdhd = find(init, 'moov/trak/mdia/mdhd')
  const timescale = mdhd[0] === 1 ? mdhd.readUInt32BE(20) : mdhd.readUInt32BE(12)
  const elst = find(init, 'moov/trak/edts/elst')
  let begins = 0
  for (let entry = 0; elst && entry < elst.readUInt32BE(4); entry++) {
    const wide = elst[0] === 1
    const at = 8 + entry * (wide ? 20 : 12)
    const [duration, time] = wide
      ? [Number(elst.readBigUInt64BE(at)), Number(elst.readBigInt64BE(at + 8))]
      : [elst.readUInt32BE(at), elst.readInt32BE(at + 4)]
    if (time >= 0) begins += time
    // An empty edit delays what follows, in ticks of the movie.
    else begins -= duration / find(init, 'moov/mvhd').readUInt32BE(find(init, 'moov/mvhd')[0] === 1 ? 20 : 12) * timescale
  }
  const trex = find(init, 'moov/mvex/trex')
  return { timescale, begins, sampleTicks: trex.readUInt32BE(12) }
}

/** Of a media segment: for each fragment its decode time, sample count, ticks and first composition time. */
export function fragments (segment, { sampleTicks }) {
  return [...boxes(segment)].filter(box => box.type === 'moof').map(({ body }) => {
    const traf = find(body, 'traf')
    const tfdt = find(traf, 'tfdt')
    const decode = tfdt[0] === 1 ? Number(tfdt.readBigUInt64BE(4)) : tfdt.readUInt32BE(4)
    const tfhd = find(traf, 'tfhd')
    const given = tfhd.readUInt32BE(0) & 0xffffff
    const skipped = (given & 1 ? 8 : 0) + (given & 2 ? 4 : 0)
    const usual = given & 8 ? tfhd.readUInt32BE(8 + skipped) : sampleTicks
    let ticks = 0
    let count = 0
    let shown = Infinity
    for (const box of boxes(traf)) {
      if (box.type !== 'trun') continue
      for (const sample of samples(box.body, usual)) {
        shown = Math.min(shown, decode + ticks + sample.offset)
        ticks += sample.ticks
        count++
      }
    }
    return { decode, count, ticks, shown }
  })
}

function * samples (trun, usual) {
  const flags = trun.readUInt32BE(0) & 0xffffff
  let at = 8 + (flags & 1 ? 4 : 0) + (flags & 4 ? 4 : 0)
  for (let left = trun.readUInt32BE(4); left > 0; left--) {
    const ticks = flags & 0x100 ? trun.readUInt32BE(at) : usual
    at += (flags & 0x100 ? 4 : 0) + (flags & 0x200 ? 4 : 0) + (flags & 0x400 ? 4 : 0)
    const offset = !(flags & 0x800) ? 0 : trun[0] === 0 ? trun.readUInt32BE(at) : trun.readInt32BE(at)
    at += flags & 0x800 ? 4 : 0
    yield { ticks, offset }
  }
}
