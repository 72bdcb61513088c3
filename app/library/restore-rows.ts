import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { inTransaction } from './migrate.ts'
import { salvage } from './database.ts'

const columns: Record<string, readonly string[]> = {
  results: ['id', 'kind', 'created_at', 'data', 'digest'],
  settings: ['key', 'value'],
  jobs: ['id', 'created_at', 'job', 'request'],
  processor_maps: ['name', 'saved_at', 'processors'],
  set_aside: ['at', 'origin', 'key', 'value', 'reason'],
}

/** Copies what can still be read of a damaged database. Rows are checked when they are read, as always. */
export const restoreRows = (db: DatabaseSyncInstance, damaged: string): void => {
  inTransaction(db, () => {
    copyRows(db, damaged)
  })
}

function copyRows(db: DatabaseSyncInstance, damaged: string): void {
  for (const [table, names] of Object.entries(columns)) {
    const put = db.prepare(
      `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    )
    for (const row of salvage(damaged, table)) {
      try {
        put.run(...names.map((name) => row[name] as never))
      } catch {
        // a value of another type than the column's: the row is damaged, and stays in the file that was kept
      }
    }
  }
}
