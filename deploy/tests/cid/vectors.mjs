// Prints the vectors that schema/tests/it/cid.rs holds as constants: `npm ci && npm run vectors`.

import { file, folder } from './importer.mjs'

const MIB = 1 << 20

// Byte i of every file here is i modulo 251.
const pattern = Uint8Array.from({ length: MIB + 251 }, (_, i) => i % 251)
function * bytes (size) {
  for (let at = 0; at < size; at += MIB) {
    yield pattern.subarray(at % 251, at % 251 + Math.min(MIB, size - at))
  }
}

const show = (name, { cid, dagSize }) => console.log(`${name} ${cid} ${dagSize}`)

for (const size of [0, 1, 1000, MIB - 1, MIB, MIB + 1, 3 * MIB, 1024 * MIB - 1, 1024 * MIB, 1024 * MIB + 1, 1025 * MIB]) {
  show(size, await file(bytes(size)))
}

show('nested', await folder([
  ['master.m3u8', 20], ['master-abcdef.m3u8', 20], ['480p/index-abcdef.m3u8', 30],
  ['480p/00000-abcdef.m4s', MIB + 1], ['480p/00001-abcdef.m4s', 5], ['audio/en/00000-abcdef.m4s', 7],
  ['480p-abcdef.mp4', 3 * MIB], ['Zoë.jpg', 1], ['a b%20c', 2]
].map(([path, size]) => ({ path, content: bytes(size) }))))

// 60 characters a name: far above 256 KiB.
const long = (i) => `${String(i).padStart(5, '0')}-${'abcdefghij'.repeat(5)}.m4s`
show('hamt5000', await folder(many(5000, long)))
show('hamt5000below', await folder([...many(5000, (i) => `480p/${long(i)}`), { path: 'master.m3u8', content: bytes(20) }]))

// Names of 16 characters with 1 byte each: 60 bytes a link. 4369 of them and the folder's own
// 4 bytes are 262144, the most that one block may have.
const short = (i) => `${String(i).padStart(5, '0')}-abcdef.m4s`
show('full4369', await folder(many(4369, short)))
show('over4369', await folder(many(4369, (i) => i === 0 ? `x${short(i)}` : short(i))))
show('over4370', await folder(many(4370, short)))

function many (count, name) {
  return Array.from({ length: count }, (_, i) => ({ path: name(i), content: bytes(1) }))
}
