import type { DatabaseSync } from 'node:sqlite'
import { resultSchema, type Result } from '../contract/results.ts'
import { isId } from './ids.ts'
import { digestOf, parseJson, setAside, type TextRow } from './rows.ts'
import type { Write } from './writes.ts'

const keyOf = (id: string): string => `result ${id}`

export const putResult = (db: DatabaseSync, result: Result): Write => ({
  key: keyOf(result.id),
  run: () => {
    const data = JSON.stringify(result)
    db.prepare('INSERT OR REPLACE INTO results (id, kind, created_at, data, digest) VALUES (?, ?, ?, ?, ?)').run(
      result.id,
      result.kind,
      result.createdAt,
      data,
      digestOf(result.id, data),
    )
  },
})

export const deleteResult = (db: DatabaseSync, id: string): Write => ({
  key: keyOf(id),
  run: () => void db.prepare('DELETE FROM results WHERE id = ?').run(id),
})

/** Takes the row of a result whose file is gone out of use. */
export const setResultAside = (db: DatabaseSync, { id }: Result, reason: string): Write => ({
  key: keyOf(id),
  run: () => {
    const row = db.prepare('SELECT rowid, data FROM results WHERE id = ?').get(id) as TextRow | undefined
    if (row) setAside(db, { origin: 'results', rowid: row.rowid, key: id, value: row['data'] ?? '', reason }).run()
  },
})

/** Every result whose row is whole, oldest first; `repairs` take the others out of use. */
export function readResults(db: DatabaseSync): { results: Result[]; repairs: Write[] } {
  const results: Result[] = []
  const repairs: Write[] = []
  const rows = db.prepare('SELECT rowid, id, data, digest FROM results ORDER BY created_at, rowid').all() as TextRow[]
  for (const { rowid, id = '', data = '', digest } of rows) {
    const parsed = parseJson(resultSchema, data)
    const whole = parsed.ok && parsed.value.id === id && isId(id) && digestOf(id, data) === digest
    const reason = parsed.ok ? 'its digest does not fit' : parsed.reason
    if (whole) results.push(parsed.value)
    else repairs.push(setAside(db, { origin: 'results', rowid, key: id, value: data, reason }))
  }
  return { results, repairs }
}
