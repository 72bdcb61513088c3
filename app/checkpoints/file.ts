import { open, realpath, stat } from 'node:fs/promises'
import { ProblemError } from '#app/contract/errors.ts'

/** A file opened for reading ranges of it. `path` is absolute, with symbolic links resolved. */
export type OpenFile = {
  readonly path: string
  readonly size: number
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>
}

/** Refuses a file: the message names it and the reason. */
export type Refuse = (reason: string) => never

// The kernel and Node move at most 2 GiB in one call.
const largestRead = 2 ** 30

/**
 * Runs `use` on the file and closes it, whatever happens. Only regular files are opened, so that a pipe or a device
 * never blocks.
 * Throws `not-found` when there is none, `bad-model` when it is something else or got shorter meanwhile.
 */
export async function withFile<T>(name: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const path = await resolved(name)
  if (!(await stat(path)).isFile())
    throw new ProblemError('bad-model', `${name} is not a file. Give the weights file itself.`, { file: name })
  const handle = await open(path, 'r').catch((cause: unknown) => {
    throw new ProblemError('disk', `${name} cannot be opened: ${reasonOf(cause)}.`, { file: name, cause })
  })
  try {
    const { size } = await handle.stat()
    const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> => {
      const bytes = new Uint8Array(length)
      let done = 0
      while (done < length) {
        const wanted = Math.min(length - done, largestRead)
        const { bytesRead } = await handle.read(bytes, done, wanted, offset + done).catch((cause: unknown) => {
          throw new ProblemError('disk', `${name} cannot be read: ${reasonOf(cause)}.`, { file: name, cause })
        })
        if (bytesRead === 0)
          throw new ProblemError('bad-model', `${name} became shorter while it was read. Try again.`, { file: name })
        done += bytesRead
      }
      return bytes
    }
    return await use({ path, size, read })
  } finally {
    await handle.close()
  }
}

async function resolved(name: string): Promise<string> {
  try {
    return await realpath(name)
  } catch (cause) {
    throw new ProblemError('not-found', `${name} cannot be found: ${reasonOf(cause)}.`, { file: name, cause })
  }
}

export const reasonOf = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

/** A name from a file as it is shown in messages: quoted, and cut when it is absurdly long. */
export const quoted = (name: string): string => JSON.stringify(name.length > 120 ? `${name.slice(0, 120)}…` : name)
