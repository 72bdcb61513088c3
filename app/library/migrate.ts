import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { existsSync } from 'node:fs'
import { ProblemError } from '../contract/errors.ts'
import { first } from './migrations/0001-first.ts'
import { processorMaps } from './migrations/0002-processor-maps.ts'

export type Migration = { version: number; statements: readonly string[] }

/** In order of version, without gaps. A migration that was released is never changed. */
export const migrations: readonly Migration[] = [first, processorMaps]

export const versionOf = (db: DatabaseSyncInstance): number =>
  (db.prepare('PRAGMA user_version').get() as { user_version: number }).user_version

/** Runs `work` in a transaction that holds all of it or nothing. */
export function inTransaction<T>(db: DatabaseSyncInstance, work: () => T): T {
  db.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    db.exec('COMMIT')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK')
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
 * a newer Frameloom.
 */
export function migrate(db: DatabaseSyncInstance, options: MigrateOptions = {}): void {
  const list = options.migrations ?? migrations
  const version = versionOf(db)
  const newest = list.at(-1)?.version ?? 0
  const file = db.location() ?? ':memory:'
  if (version > newest) {
    throw new ProblemError(
      'unsupported',
      `The library ${file} was written by a newer Frameloom (version ${version}, this one knows ${newest}). Update Frameloom.`,
      { file },
    )
  }
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

function backUp(db: DatabaseSyncInstance, file: string): void {
  // One that is there already is from an attempt that was cut off, and holds the older state.
  if (!existsSync(file)) db.prepare('VACUUM INTO ?').run(file)
}
