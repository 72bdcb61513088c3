import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'
import type { hostExportFormats } from '#app/contract/results.ts'
import { newId } from '#app/library/ids.ts'
import { insideStore } from '#app/library/inside-store.ts'
import type { Library } from '#app/library/library.ts'
import type { StudioEngine } from '../studio-engine.ts'
import { generatedStream } from './streams.ts'
import { streamResponse } from './responses.ts'
import { zipFolder } from './zip.ts'

type HostExportFormat = (typeof hostExportFormats)[number]

const types: Record<HostExportFormat, { ending: string; type: string }> = {
  gif: { ending: 'gif', type: 'image/gif' },
  webp: { ending: 'webp', type: 'image/webp' },
  png: { ending: 'zip', type: 'application/zip' },
}

/** A file name made of a prompt: ASCII words, short. */
export const fileNameOf = (title: string): string =>
  title
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-+|-+$/g, '') || 'clip'

/** Writes the clip in another format into a folder of the moment and streams it; the folder goes when the stream ends. */
export async function exportClip(
  library: Library,
  engine: StudioEngine,
  id: string,
  format: HostExportFormat,
  signal: AbortSignal,
): Promise<Response> {
  const clip = library.result(id)
  if (clip?.kind !== 'clip') throw new ProblemError('not-found', 'This clip is not in the library any more.')
  const { ending, type } = types[format]
  const folder = await mkdtemp(insideStore(library.scratch, `export-${newId()}`))
  const remove = () => rm(folder, { recursive: true, force: true })
  const out = insideStore(folder, format === 'png' ? 'frames' : `clip.${ending}`)
  try {
    await engine.call('exportClip', { file: library.clipFile(id), format, out }, { signal })
  } catch (error) {
    await remove()
    throw error
  }
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield* format === 'png' ? zipFolder(out) : createReadStream(out)
    } finally {
      await remove()
    }
  }
  const name = `${fileNameOf(clip.title)}.${ending}`
  return streamResponse(generatedStream(chunks()), type, { 'content-disposition': `attachment; filename="${name}"` })
}
