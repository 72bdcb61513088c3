import { readdir, readFile } from 'node:fs/promises'
import { Zip, ZipPassThrough } from 'fflate'
import { insideStore } from '#app/library/inside-store.ts'

/**
 * A zip of a folder's files in order of name, one file in memory at a time. Stored, not deflated: PNG is packed
 * already.
 */
export async function* zipFolder(folder: string): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = []
  const zip = new Zip((error, chunk) => {
    if (error) throw error
    ready.push(chunk)
  })
  for (const name of (await readdir(folder)).sort()) {
    const entry = new ZipPassThrough(name)
    zip.add(entry)
    entry.push(await readFile(insideStore(folder, name)), true)
    yield* ready.splice(0)
  }
  zip.end()
  yield* ready.splice(0)
}
