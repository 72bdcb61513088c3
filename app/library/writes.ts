import { beforeWrite } from '#app/files/write-fault.ts'
import { writeProblem, writeReason } from './sqlite-errors.ts'

export type Write = { readonly key: string; readonly run: () => void }

export type Writes = {
  /** A write that somebody waits for. Throws `disk` in words. */
  readonly now: <T>(run: () => T) => T
  /**
   * Records what has happened already, so it does not fail whoever tells: what the disk refuses is kept, the newest
   * for each key, and tried again.
   */
  late(write: Write): void
  /** Why something waits for the disk, in words; null when nothing does. */
  trouble(): string | null
  /** Tries once more. */
  close(): void
}

/** All writes to the library's database go through here. `told`: why the disk refuses, when it begins to. */
export function createWrites(file: string, told: (message: string) => void, retryMs = 2000): Writes {
  const waiting = new Map<string, () => void>()
  let trouble = ''
  let timer: NodeJS.Timeout | undefined

  const attempt = <T>(run: () => T): T => {
    beforeWrite()
    return run()
  }
  const flush = (): void => {
    timer = undefined
    for (const [key, run] of waiting) {
      try {
        attempt(run)
        waiting.delete(key)
      } catch {
        // the disk still refuses: the others may be smaller
      }
    }
    if (waiting.size > 0) timer = setTimeout(flush, retryMs).unref()
  }

  return {
    now(run) {
      try {
        return attempt(run)
      } catch (error) {
        throw writeProblem(error, file)
      }
    },
    late({ key, run }) {
      try {
        attempt(run)
        waiting.delete(key)
      } catch (error) {
        const why = writeReason(error)
        if (why === undefined) throw error
        trouble = `The library ${file} cannot be written: ${why}. What is new is kept in memory, and written when that is possible.`
        const isFirst = waiting.size === 0
        waiting.set(key, run)
        timer ??= setTimeout(flush, retryMs).unref()
        if (isFirst) told(trouble)
      }
    },
    trouble: () => (waiting.size > 0 ? trouble : null),
    close() {
      clearTimeout(timer)
      flush()
      clearTimeout(timer)
    },
  }
}
