import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import type { hostExportFormats } from '#app/contract/results.ts'
import { newId } from '#app/library/ids.ts'
import { insideStore } from '#app/library/inside-store.ts'
import type { Library } from '#app/library/library.ts'
import type { StudioEngine } from '../studio-engine.ts'
import { generatedStream } from './streams.ts'
import { streamResponse } from './responses.ts'
import { zipFolder } from './zip.ts'

type HostExportFormat = (typeof hostExportFormats)[number]

/** A file name made of a prompt: ASCII words, short. */
export const fileNameOf = (title: string): string =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, '') || 'clip'

/**
 * Writes a clip or still in another format into a folder of the moment and streams it; the folder goes when the stream
 * ends.
 */
export async function exportClip(
  library: Library,
  engine: StudioEngine,
  id: string,
  format: HostExportFormat,
  signal: AbortSignal,
): Promise<Response> {
  const picture = library.picture(id)
  const isFolder = format === 'png' && picture.kind === 'clip'
  const { ending, type } = isFolder
    ? { ending: 'zip', type: 'application/zip' }
    : { ending: format, type: `image/${format}` }
  const folder = await mkdtemp(insideStore(library.scratch, `export-${newId()}`))
  const remove = () => rm(folder, { recursive: true, force: true })
  const out = insideStore(folder, isFolder ? 'frames' : `picture.${ending}`)
  try {
    await engine.call('exportClip', { file: library.pictureFile(id), format, out }, { signal })
  } catch (error) {
    await remove()
    throw error
  }
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* isFolder ? zipFolder(out) : createReadStream(out)
    } finally {
      await remove()
    }
  }
  const name = `${fileNameOf(picture.title)}.${ending}`
  return streamResponse(generatedStream(chunks()), type, { 'content-disposition': `attachment; filename="${name}"` })
}
