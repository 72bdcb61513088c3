import { DatabaseSync } from 'node:sqlite'
import { existsSync, rmSync } from 'node:fs'
import { ProblemError } from '../contract/errors.ts'
import { first } from './migrations/0001-first.ts'
import { processorMaps } from './migrations/0002-processor-maps.ts'
import { digests } from './migrations/0003-digests.ts'
import { damage } from './sqlite-errors.ts'

export type Migration = { version: number; statements: readonly string[] }

/** In order of version, without gaps. A migration that was released is never changed. */
export const migrations: readonly Migration[] = [first, processorMaps, digests]

export const versionOf = (db: DatabaseSync): number =>
  (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version

/** Runs `work` in a transaction that holds all of it or nothing: the one that is open already, where one is. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  if (db.isTransaction) return work()
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    try {
      db.exec('ROLLBACK')
    } catch {
      // SQLite did that itself, or cannot: the first error says more
    }
    throw error
  }
}

export type MigrateOptions = {
  migrations?: readonly Migration[]
  /** Called before each statement: a test ends the process here. */
  beforeStatement?: (version: number, statement: number) => void
}

/**
 * Brings the database to the newest version; each migration is one transaction together with its version number. A
 * database with data in it is copied beside itself first (VACUUM INTO). Throws a ProblemError 'unsupported' for one of
 * a newer Frameloom, and damage for one whose tables are not those of its version.
 */
export function migrate(db: DatabaseSync, options: MigrateOptions = {}): void {
  const list = options.migrations ?? migrations
  const version = versionOf(db)
  const newest = list.at(-1)?.version ?? 0
  const file = db.location() ?? ':memory:'
  const shape = shapeOf(db)
  // A newer Frameloom has other tables. With tables that are known it is the number that changed: one bit is enough.
  if (version > newest && !list.some((one) => shape === shapeAt(list, one.version))) {
    throw new ProblemError(
      'unsupported',
      `The library ${file} was written by a newer Frameloom (version ${version}, this one knows ${newest}). Update Frameloom.`,
      { file },
    )
  }
  if (shape !== shapeAt(list, version)) throw damage('its tables are not those of its version')
  if (version > 0 && version < newest && file !== ':memory:') backUp(db, `${file}.before-v${newest}`)
  for (const migration of list.filter((one) => one.version > version)) {
    inTransaction(db, () => {
      migration.statements.forEach((statement, index) => {
        options.beforeStatement?.(migration.version, index)
        db.exec(statement)
      })
      options.beforeStatement?.(migration.version, migration.statements.length)
      db.exec(`PRAGMA user_version = ${migration.version}`)
    })
  }
}

/** Tables with their columns. */
const shapeOf = (db: DatabaseSync): string =>
  JSON.stringify(
    db
      .prepare(
        `SELECT t.name AS t, c.name AS c, c.type FROM sqlite_schema AS t JOIN pragma_table_info(t.name) AS c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.name`,
      )
      .all(),
  )

/** The shape that the migrations up to a version make; none for a number above them. */
function shapeAt(list: readonly Migration[], version: number): string | undefined {
  if (version > (list.at(-1)?.version ?? 0)) return undefined
  const db = new DatabaseSync(':memory:')
  try {
    for (const migration of list.filter((one) => one.version <= version))
      for (const statement of migration.statements) db.exec(statement)
    return shapeOf(db)
  } finally {
    db.close()
  }
}

function backUp(db: DatabaseSync, file: string): void {
  // One that is there already is from an attempt that was cut off, and holds the older state.
  if (existsSync(file)) return
  try {
    db.prepare('VACUUM INTO ?').run(file)
  } catch (error) {
    rmSync(file, { force: true }) // half of one, on a full disk
    throw error
  }
}
