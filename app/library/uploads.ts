import { writeDurably } from '#app/files/durable.ts'
import { ProblemError } from '../contract/errors.ts'
import type { RawFrames } from '../contract/media-routes.ts'
import { isId, newId } from './ids.ts'
import { insideStore } from './inside-store.ts'
import type { Upload } from './jobs.ts'
import { isOwn, namesIn, removeOwn } from './own-folders.ts'

export type Uploads = {
  /**
   * Writes a body to disk as it comes. Throws a ProblemError: 'bad-media' when it is longer than `limit` bytes, when it
   * is empty, or when it is not as long as `frames` says; 'disk' when it cannot be written.
   */
  receive(options: {
    name: string
    frames?: RawFrames
    body: AsyncIterable<Uint8Array>
    limit: number
  }): Promise<Upload>
  get(id: string): Upload | undefined
  file(upload: Upload): string
  /**
   * While a job needs it an upload does not expire; after that it stays as long as a new one, to be classified again.
   */
  hold(upload: Upload): void
  release(upload: Upload, now: number): void
  /** Removes what nobody used within `maxAgeMs`. */
  expire(now: number, maxAgeMs: number): void
}

const tooLarge = (limit: number): ProblemError =>
  new ProblemError('bad-media', `The file is larger than ${Math.floor(limit / 2 ** 20)} MiB, the most that is taken.`)

/** A file name as the page said it, for display and for its ending only. */
export const displayName = (name: string): string =>
  name
    .replaceAll(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '')
    .replace(/^.*[\\/]/, '')
    .slice(-200) || 'clip'

/** A body as it comes, refused as soon as it has another length than it may have, or than is `wanted`. */
export async function* counted(
  body: AsyncIterable<Uint8Array>,
  { name, limit, wanted }: { name: string; limit: number; wanted?: number | undefined },
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.byteLength
    if (bytes > (wanted ?? limit)) throw wanted === undefined ? tooLarge(limit) : wrongLength(wanted)
    yield chunk
  }
  if (bytes === 0) throw new ProblemError('bad-media', `${displayName(name)} is empty.`)
  if (wanted !== undefined && bytes !== wanted) throw wrongLength(wanted)
}

/** `held`: uploads of restored jobs; every other one in the folder is removed. */
export function openUploads(folder: string, held: readonly Upload[]): Uploads {
  const all = new Map(held.filter(({ id }) => isId(id)).map((upload) => [upload.id, { upload, at: Infinity }]))
  const remove = (name: string): void => {
    all.delete(name)
    try {
      removeOwn(folder, name)
    } catch {
      // a disk that cannot be written: the next start tries again
    }
  }
  for (const name of namesIn(folder)) if (isOwn(name) && !all.has(name)) remove(name)
  return {
    async receive({ name, frames, body, limit }) {
      const id = newId()
      const wanted = frames && frames.width * frames.height * frames.count * 3
      if (wanted !== undefined && wanted > limit) throw tooLarge(limit)
      await writeDurably(insideStore(folder, id), counted(body, { name, limit, wanted }), 0o600)
      const upload: Upload = { id, name: displayName(name), ...(frames ? { frames } : {}) }
      all.set(id, { upload, at: Date.now() })
      return upload
    },
    get: (id) => (isId(id) ? all.get(id)?.upload : undefined),
    file: (upload) => insideStore(folder, upload.id),
    hold: (upload) => all.set(upload.id, { upload, at: Infinity }),
    release: (upload, now) => all.set(upload.id, { upload, at: now }),
    expire(now, maxAgeMs) {
      for (const [id, { at }] of all) if (now - at > maxAgeMs) remove(id)
    },
  }
}

const wrongLength = (wanted: number): ProblemError =>
  new ProblemError(
    'bad-media',
    `The frames must be ${wanted} bytes, as their header says (width x height x count x 3).`,
  )
