import { DatabaseSync } from 'node:sqlite'
import { accessSync, constants, existsSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ProblemError } from '../contract/errors.ts'
import { migrate, type MigrateOptions } from './migrate.ts'
import { damage, isBusy, isDamage, isReadOnly, writeReason } from './sqlite-errors.ts'

/**
 * `setAside`: where a damaged file went, when one was found. `unwritable`: why the disk cannot be written, when it
 * cannot: then the database is in memory, and empty.
 */
export type OpenedDatabase = { db: DatabaseSync; setAside: string | null; unwritable: string | null }

/**
 * Opens the library's database, for this process alone: the exclusive lock is the operating system's, so it ends with
 * the process however that ends. A file that cannot be used is moved aside and a fresh one made.
 * Throws a ProblemError 'unsupported' when another process has it or a newer Frameloom wrote it.
 */
export function openDatabase(file: string, options: MigrateOptions & { waitMs?: number } = {}): OpenedDatabase {
  let setAside: string | null = null
  try {
    mkdirSync(dirname(file), { recursive: true })
    if (tails.some((tail) => isOdd(file + tail))) setAside = moveAside(file)
    try {
      return { db: openSound(file, options), setAside, unwritable: null }
    } catch (error) {
      if (!isDamage(error) && !(isReadOnly(error) && mayWrite(file))) throw error
    }
    setAside = moveAside(file)
    return { db: openSound(file, options), setAside, unwritable: null }
  } catch (error) {
    const unwritable = isBusy(error) ? undefined : writeReason(error)
    if (unwritable === undefined) throw asProblem(error, file)
    const db = new DatabaseSync(':memory:')
    migrate(db, options)
    return { db, setAside, unwritable }
  }
}

/** The file itself last: what it is moved with must not stay behind. */
const tails = ['-wal', '-shm', '-journal', '']

/** A folder, a pipe or the like where a file should be: SQLite would refuse it, or wait for ever. */
function isOdd(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false })
  return found !== undefined && !found.isFile()
}

function mayWrite(file: string): boolean {
  try {
    for (const path of [file, dirname(file)]) accessSync(path, constants.W_OK)
    return true
  } catch {
    return false
  }
}

function openSound(file: string, options: MigrateOptions & { waitMs?: number }): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: options.waitMs ?? 1500 })
  try {
    // Exclusive before WAL: then no shared-memory file is made, and a second owner is refused at once.
    db.exec('PRAGMA locking_mode = EXCLUSIVE')
    try {
      db.exec('PRAGMA journal_mode = WAL')
    } catch (error) {
      // A full disk has no room for that, but what is in the file can be read, and clips be deleted.
      if (isBusy(error) || isDamage(error) || isReadOnly(error)) throw error
    }
    db.exec('PRAGMA synchronous = FULL')
    db.exec('BEGIN EXCLUSIVE; COMMIT')
    // Not quick_check, which does not compare indices with their tables: a page of another one in its place passes it.
    const { integrity_check: verdict } = db.prepare('PRAGMA integrity_check(1)').get() as { integrity_check: string }
    if (verdict !== 'ok') throw damage(verdict)
    migrate(db, options)
    return db
  } catch (error) {
    closeDatabase(db)
    throw error
  }
}

/** Closes a database. Leaving WAL before leaves one whole file. */
export function closeDatabase(db: DatabaseSync): void {
  try {
    db.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = DELETE')
  } catch {
    // a damaged or locked file: nothing of ours is waiting in it
  }
  db.close()
}

/** Keeps the file and its logs under a new name; returns that name. */
function moveAside(file: string): string {
  const stamp = new Date().toISOString().replaceAll(/[:.]/g, '-')
  let to = `${file}.damaged-${stamp}`
  for (let n = 2; existsSync(to); n++) to = `${file}.damaged-${stamp}-${n}`
  for (const tail of tails) if (existsSync(file + tail)) renameSync(file + tail, to + tail)
  return to
}

/** What can still be read of a damaged file: rows from both ends of a table, up to the damage. Never throws. */
export function salvage(file: string, table: string): Record<string, unknown>[] {
  const rows = new Map<unknown, Record<string, unknown>>()
  // On a disk that can only be read, SQLite opens what a killed process left only when told that nobody writes to it.
  for (const name of [file, `${pathToFileURL(file).href}?immutable=1`]) {
    if (rows.size > 0) break
    readInto(rows, name, table)
  }
  return [...rows.values()]
}

function readInto(rows: Map<unknown, Record<string, unknown>>, file: string, table: string): void {
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
}

function asProblem(error: unknown, file: string): unknown {
  if (!isBusy(error)) return error
  return new ProblemError(
    'unsupported',
    `Another Frameloom has the library ${file} open. Use that one, close it, or set FRAMELOOM_DATA to another data folder.`,
    { file, cause: error },
  )
}
