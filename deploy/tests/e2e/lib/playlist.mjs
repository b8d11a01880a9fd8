// Reads HLS playlists as far as the tests look at them (RFC 8216).

/** A master's variants (`uri` and attributes) and its audio's URI. */
export function master (text) {
  const lines = text.split(/\r?\n/)
  if (lines[0] !== '#EXTM3U') throw new Error('no playlist')
  const variants = []
  let audio = null
  lines.forEach((line, i) => {
    if (line.startsWith('#EXT-X-STREAM-INF:')) variants.push({ ...attributes(line), uri: lines[i + 1] })
    if (line.startsWith('#EXT-X-MEDIA:') && attributes(line).TYPE === 'AUDIO') audio = attributes(line).URI
  })
  return { variants, audio }
}

/** A media playlist: `map`, `segments` with uri and duration, `target`, `type`, `ended`. */
export function media (text) {
  const lines = text.split(/\r?\n/)
  if (lines[0] !== '#EXTM3U') throw new Error('no playlist')
  const value = tag => lines.find(line => line.startsWith(`#${tag}:`))?.slice(tag.length + 2)
  const segments = []
  let duration = null
  for (const line of lines) {
    if (line.startsWith('#EXTINF:')) duration = parseFloat(line.slice(8))
    else if (line !== '' && !line.startsWith('#')) segments.push({ uri: line, duration })
  }
  return {
    map: attributes(`#EXT-X-MAP:${value('EXT-X-MAP')}`).URI,
    target: Number(value('EXT-X-TARGETDURATION')),
    type: value('EXT-X-PLAYLIST-TYPE'),
    ended: lines.includes('#EXT-X-ENDLIST'),
    segments
  }
}

function attributes (line) {
  const found = {}
  for (const [, name, quoted, bare] of line.slice(line.indexOf(':') + 1).matchAll(/([A-Z0-9-]+)=(?:"([^"]*)"|([^,]*))/g)) {
    found[name] = quoted ?? bare
  }
  return found
}
