// Fetches everything that a master playlist leads to, as a player without a key would.

import * as playlist from './playlist.mjs'

/**
 * `files` by their name relative to the master (which is `master.m3u8`), `master` and `playlists`
 * read, `mp4s` by resolution, and one path of each kind.
 */
export async function download (hls) {
  const files = {}
  const get = async path => (files[path] ??= await bytes(new URL(path, hls)))
  const master = playlist.master((await get('master.m3u8')).toString())
  const playlists = {}
  for (const path of [...master.variants.map(variant => variant.uri), master.audio].filter(Boolean)) {
    const list = playlist.media((await get(path)).toString())
    const beside = name => `${path.slice(0, path.lastIndexOf('/') + 1)}${name}`
    list.mapPath = beside(list.map)
    await get(list.mapPath)
    for (const segment of list.segments) {
      segment.path = beside(segment.uri)
      await get(segment.path)
    }
    playlists[path] = list
  }
  const mp4s = {}
  for (const variant of master.variants) {
    const resolution = variant.uri.split('/')[0]
    mp4s[resolution] = await bytes(new URL(`../mp4/${resolution}`, hls))
  }
  const indexPath = master.variants[0].uri
  const { mapPath: initPath, segments: [{ path: segmentPath }] } = playlists[indexPath]
  return { files, master, playlists, mp4s, indexPath, initPath, segmentPath }
}

async function bytes (url) {
  const answer = await fetch(url, { signal: AbortSignal.timeout(60_000) })
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`)
  return Buffer.from(await answer.arrayBuffer())
}
