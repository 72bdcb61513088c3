import { DatabaseSync, type DatabaseSyncInstance } from '@photostructure/sqlite'
import { existsSync, mkdirSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import { ProblemError } from '../contract/errors.ts'
import { migrate, type MigrateOptions } from './migrate.ts'

/** SQLite's result codes (sqlite.org/rescode.html): BUSY, CORRUPT, NOTADB. */
const busy = 5
const damaged = [11, 26]

const primaryCode = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined

const isDamage = (error: unknown): boolean => damaged.includes(primaryCode(error) ?? -1)

/** `setAside`: where a damaged file went, when one was found. */
export type OpenedDatabase = { db: DatabaseSyncInstance; setAside: string | null }

/**
 * Opens the library's database, for this process alone: the exclusive lock is the operating system's, so it ends with
 * the process however that ends. A damaged file is moved aside and a fresh one made.
 * Throws a ProblemError: 'unsupported' when another process has it or a newer Frameloom wrote it, 'disk' when it cannot
 * be opened.
 */
export function openDatabase(file: string, options: MigrateOptions & { waitMs?: number } = {}): OpenedDatabase {
  mkdirSync(dirname(file), { recursive: true })
  try {
    return { db: openSound(file, options), setAside: null }
  } catch (error) {
    if (!isDamage(error)) throw asProblem(error, file)
  }
  const setAside = moveAside(file)
  try {
    return { db: openSound(file, options), setAside }
  } catch (error) {
    throw asProblem(error, file)
  }
}

function openSound(file: string, options: MigrateOptions & { waitMs?: number }): DatabaseSyncInstance {
  const db = new DatabaseSync(file, { timeout: options.waitMs ?? 1500 })
  try {
    // Exclusive before WAL: then no shared-memory file is made, and a second owner is refused at once.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = FULL')
    db.exec('BEGIN EXCLUSIVE; COMMIT')
    const { quick_check: verdict } = db.prepare('PRAGMA quick_check(1)').get() as { quick_check: string }
    if (verdict !== 'ok') throw Object.assign(new Error(verdict), { errcode: damaged[0] })
    migrate(db, options)
    return db
  } catch (error) {
    closeDatabase(db)
    throw error
  }
}

/**
 * Closes a database and lets its lock go. `close` alone does not: in @photostructure/sqlite 1.2 statements are
 * finalised when they are collected, and until then SQLite keeps the connection. Leaving WAL leaves one whole file,
 * too.
 */
export function closeDatabase(db: DatabaseSyncInstance): void {
  for (const statement of [
    'PRAGMA busy_timeout = 0',
    'PRAGMA journal_mode = DELETE',
    'PRAGMA locking_mode = NORMAL',
    'SELECT 1 FROM sqlite_schema',
  ]) {
    try {
      db.exec(statement)
    } catch {
      // a damaged or locked file: nothing of ours is waiting in it
    }
  }
  db.close()
}

/** Keeps the file and its log under a new name; returns that name. */
function moveAside(file: string): string {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  let to = `${file}.damaged-${stamp}`
  for (let n = 2; existsSync(to); n++) to = `${file}.damaged-${stamp}-${n}`
  for (const tail of ['-wal', '-shm', '']) if (existsSync(file + tail)) renameSync(file + tail, to + tail)
  return to
}

/** What can still be read of a damaged file: rows from both ends of a table, up to the damage. Never throws. */
export function salvage(file: string, table: string): Record<string, unknown>[] {
  const rows = new Map<unknown, Record<string, unknown>>()
  try {
    const db = new DatabaseSync(file, { readOnly: true })
    try {
      for (const order of ['ASC', 'DESC']) {
        try {
          const query = db.prepare(`SELECT rowid AS row_number, * FROM ${table} ORDER BY rowid ${order}`)
          const found = query.iterate() as IterableIterator<Record<string, unknown>>
          for (const row of found) rows.set(row['row_number'], row)
        } catch {
          // the damage: the other end may have more
        }
      }
    } finally {
      db.close()
    }
  } catch {
    // not a database at all
  }
  return [...rows.values()]
}

function asProblem(error: unknown, file: string): ProblemError {
  if (error instanceof ProblemError) return error
  if (primaryCode(error) === busy) {
    return new ProblemError(
      'unsupported',
      `Another Frameloom has the library ${file} open. Use that one, close it, or set FRAMELOOM_DATA to another data folder.`,
      { file, cause: error },
    )
  }
  const reason = error instanceof Error ? error.message : String(error)
  return new ProblemError('disk', `Could not open the library ${file}: ${reason}.`, { file, cause: error })
}
