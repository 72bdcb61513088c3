import type { DatabaseSync } from 'node:sqlite'
import { closeSync, copyFileSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { ProblemError } from '../contract/errors.ts'
import { closeDatabase, openDatabase } from './database.ts'
import { insideStore } from './inside-store.ts'

const mostTries = 20

/**
 * Runs `read` on a copy of a library's database as it is at this moment, while another process may have it open. An
 * empty one where there is none yet. Not for the owner itself: a process that closes a file lets go of all its POSIX
 * locks on it (fcntl(2)).
 * Throws a ProblemError: 'disk' when it cannot be copied or is damaged, 'unsupported' when a newer Frameloom wrote it.
 */
export function readSnapshot<T>(file: string, read: (db: DatabaseSync) => T): T {
  const folder = mkdtempSync(insideStore(tmpdir(), 'frameloom-library-'))
  try {
    const copy = insideStore(folder, 'library.sqlite')
    copyBoth(file, copy)
    const { db, setAside, unwritable } = openDatabase(copy)
    try {
      if (!setAside && !unwritable) return read(db)
    } finally {
      closeDatabase(db)
    }
    const why = unwritable
      ? `no copy of it can be made: ${unwritable}`
      : 'it is damaged. Start the studio, which repairs it'
    throw new ProblemError('disk', `The library ${file} cannot be read: ${why}.`, { file })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/**
 * Pages go from the log into the file before the log is begun anew, under another header (sqlite.org/walformat.html).
 * So the file, and then the log, whose header stayed the same meanwhile, have every page between them.
 */
function copyBoth(file: string, copy: string): void {
  for (let tries = 1; ; tries++) {
    const before = logHeader(file)
    try {
      copyIfThere(file, copy)
      copyIfThere(`${file}-wal`, `${copy}-wal`)
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new ProblemError('disk', `The library ${file} cannot be read: ${reason}.`, { file, cause })
    }
    if (logHeader(file) === before) return
    if (tries === mostTries)
      throw new ProblemError('disk', `The library ${file} is being written without a pause. Try again.`, { file })
  }
}

function copyIfThere(from: string, to: string): void {
  rmSync(to, { force: true })
  try {
    copyFileSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}

function logHeader(file: string): string {
  try {
    const log = openSync(`${file}-wal`, 'r')
    try {
      const bytes = Buffer.alloc(32)
      return bytes.toString('hex', 0, readSync(log, bytes))
    } finally {
      closeSync(log)
    }
  } catch {
    return 'none'
  }
}
