import type { DatabaseSync } from 'node:sqlite'
import { inTransaction } from './migrate.ts'
import { count } from './notices.ts'
import { salvage } from './database.ts'

const columns: Record<string, readonly string[]> = {
  results: ['id', 'kind', 'created_at', 'data', 'digest'],
  settings: ['key', 'value', 'digest'],
  jobs: ['id', 'created_at', 'job', 'request', 'digest'],
  processor_maps: ['name', 'saved_at', 'processors', 'digest'],
  set_aside: ['at', 'origin', 'key', 'value', 'reason'],
}

/**
 * Copies what can still be read of a database that cannot be used, and tells how much that was. Rows are checked when
 * they are read, as always.
 */
export function restoreRows(db: DatabaseSync, from: string): string {
  inTransaction(db, () => {
    copyRows(db, from)
  })
  const words = { results: 'result', settings: 'setting', processor_maps: 'processor map', jobs: 'job' }
  return Object.entries(words)
    .map(([table, what]) => {
      const { n } = db.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }
      return count(n, what)
    })
    .join(', ')
}

function copyRows(db: DatabaseSync, from: string): void {
  for (const [table, names] of Object.entries(columns)) {
    const put = db.prepare(
      `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`,
    )
    for (const row of salvage(from, table)) {
      try {
        // A file of an older version has no digests.
        put.run(...names.map((name) => (row[name] ?? null) as never))
      } catch {
        // a value of another type than the column's: the row is damaged, and stays in the file that was kept
      }
    }
  }
}
