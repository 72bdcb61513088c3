import { copyFileSync, existsSync, lstatSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { basename } from 'node:path'
import type { Result } from '../contract/results.ts'
import { insideStore } from './inside-store.ts'
import { namesIn } from './own-folders.ts'

/** How long a deleted file stays. */
const lifeMs = 30 * 24 * 3600_000

/**
 * Deleted files, in a folder beside those of the library. Each says what it is, so one that is moved back by hand is
 * found by the next start; this process can bring back what it deleted itself.
 */
export function openBin(folder: string, now: () => number = Date.now) {
  const deleted = new Map<string, Result>()
  for (const name of namesIn(folder)) {
    try {
      const file = insideStore(folder, name)
      if (now() - statSync(file).mtimeMs > lifeMs) rmSync(file, { recursive: true, force: true })
    } catch {
      // A stray name or a link, or a disk that takes no change: it stays, and is in nobody's way.
    }
  }
  const placeOf = (file: string): string => insideStore(folder, basename(file))
  return {
    /** @returns false for what cannot be brought back later: no file of its own, or a disk that does not take it */
    put(result: Result, file: string): boolean {
      try {
        if (!lstatSync(file, { throwIfNoEntry: false })?.isFile()) return false
        move(file, placeOf(file))
        // Its time is that of the deletion from here on.
        utimesSync(placeOf(file), now() / 1000, now() / 1000)
        deleted.set(result.id, result)
        return true
      } catch {
        return false
      }
    },
    /** Puts the file back where it was. Undefined for what this process did not delete, or has no more. */
    takeBack(id: string, file: string): Result | undefined {
      const result = deleted.get(id)
      if (!result || !existsSync(placeOf(file))) return undefined
      move(placeOf(file), file)
      deleted.delete(id)
      return result
    },
    find: (id: string): Result | undefined => deleted.get(id),
  }
}

function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    // One of the folders is a link to another disk.
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    copyFileSync(from, to)
    rmSync(from)
  }
}
