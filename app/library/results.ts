import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { resultSchema, type Result } from '../contract/results.ts'
import { inTransaction } from './migrate.ts'
import { digestOf, parseJson, setAside, type TextRow } from './rows.ts'

export function putResult(db: DatabaseSyncInstance, result: Result): void {
  const data = JSON.stringify(result)
  db.prepare('INSERT OR REPLACE INTO results (id, kind, created_at, data, digest) VALUES (?, ?, ?, ?, ?)').run(
    result.id,
    result.kind,
    result.createdAt,
    data,
    digestOf(result.id, data),
  )
}

export const deleteResult = (db: DatabaseSyncInstance, id: string): void => {
  db.prepare('DELETE FROM results WHERE id = ?').run(id)
}

/** Takes a row out of use without losing what it said. */
export function setResultAside(db: DatabaseSyncInstance, id: string, value: string, reason: string): void {
  inTransaction(db, () => {
    setAside(db, 'results', id, value, reason)
    deleteResult(db, id)
  })
}

/** Every result whose row is whole, oldest first. The others are kept in `set_aside`; their number is `bad`. */
export function readResults(db: DatabaseSyncInstance): { results: Result[]; bad: number } {
  const results: Result[] = []
  let bad = 0
  const rows = db.prepare('SELECT id, data, digest FROM results ORDER BY created_at, rowid').all() as TextRow[]
  for (const { id = '', data = '', digest } of rows) {
    const parsed = parseJson(resultSchema, data)
    const whole = parsed.ok && parsed.value.id === id && digestOf(id, data) === digest
    if (whole) results.push(parsed.value)
    else {
      bad++
      setResultAside(db, id, data, parsed.ok ? 'its digest does not fit' : parsed.reason)
    }
  }
  return { results, bad }
}
