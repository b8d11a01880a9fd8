// How many bytes the product keeps, and where.

import { lstatSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of all files below a folder, by their lengths; 0 where there is none. */
export function below (folder, wanted = () => true) {
  let sum = 0
  let entries = []
  try { entries = readdirSync(folder, { withFileTypes: true }) } catch {}
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) sum += below(path, wanted)
    else if (entry.isFile() && wanted(path)) {
      // A file may go meanwhile.
      try { sum += lstatSync(path).size } catch {}
    }
  }
  return sum
}

/** Removes the database of a data folder that its user could not reach. */
export function removeElsewhere (data) {
  let name = ''
  try { name = readFileSync(join(data, 'postgres.elsewhere'), 'utf8').trim() } catch {}
  if (/^[0-9a-f]+$/.test(name)) rmSync(join('/var/lib/reelpin', name), { recursive: true, force: true, maxRetries: 3 })
}
