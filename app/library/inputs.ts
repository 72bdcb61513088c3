import { createHash } from 'node:crypto'
import { renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { diskProblem } from '#app/files/disk-problem.ts'
import { syncFolder, writeDurably } from '#app/files/durable.ts'
import type { MediaRef } from '../contract/media-refs.ts'
import { pipelineOf, type RunRequest } from '../contract/pipelines.ts'
import { mediaOf } from '../contract/pipelines/pipeline.ts'
import { isId, newId } from './ids.ts'
import { insideStore } from './inside-store.ts'
import { namesIn } from './own-folders.ts'
import { counted, displayName } from './uploads.ts'

/** How long a file stays that nothing here names. A form in a browser may, which asks for it whenever it is opened. */
const lifeMs = 30 * 24 * 3600_000

/** Pictures and clips that runs read, each under the name of its content. */
export type Inputs = {
  /**
   * Keeps a file, durably. Throws a ProblemError: 'bad-media' when it is empty or longer than `limit` bytes, 'disk'
   * when it cannot be written.
   */
  receive(file: { name: string; body: AsyncIterable<Uint8Array>; limit: number }): Promise<MediaRef>
  /**
   * Where it is; undefined where it is not here. Whoever asks has a use for it: its life begins anew. Throws as
   * `insideStore`.
   */
  file(sha256: string): string | undefined
}

const isHash = (name: string): boolean => /^[0-9a-f]{64}$/.test(name)

/** The files that a run needs, by their content. */
export const inputsOf = ({ pipeline, settings }: RunRequest): MediaRef[] =>
  Object.values(mediaOf(pipelineOf(pipeline), settings)).flat()

/** `named`: those that results and jobs need, however old. */
export function openInputs(folder: string, named: ReadonlySet<string>, now: () => number = Date.now): Inputs {
  for (const name of namesIn(folder)) {
    try {
      const file = insideStore(folder, name)
      const isOver = isHash(name) && !named.has(name) && now() - statSync(file).mtimeMs > lifeMs
      // One that has an id was written, and its process ended before it got its name.
      if (isOver || isId(name)) rmSync(file, { force: true })
    } catch {
      // A link to nowhere, or a disk that takes no change: it stays, and is in nobody's way.
    }
  }
  return {
    async receive({ name, body, limit }) {
      const hash = createHash('sha256')
      const hashed = async function* () {
        for await (const chunk of counted(body, { name, limit })) {
          hash.update(chunk)
          yield chunk
        }
      }
      const file = insideStore(folder, newId())
      await writeDurably(file, hashed(), 0o600)
      const sha256 = hash.digest('hex')
      try {
        renameSync(file, insideStore(folder, sha256))
        await syncFolder(folder)
      } catch (error) {
        throw diskProblem(error, file)
      }
      return { sha256, name: displayName(name) }
    },
    file(sha256) {
      if (!isHash(sha256)) return undefined
      const file = insideStore(folder, sha256)
      if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return undefined
      try {
        utimesSync(file, now() / 1000, now() / 1000)
      } catch {
        // On a disk that can only be read it cannot be let go either.
      }
      return file
    },
  }
}
