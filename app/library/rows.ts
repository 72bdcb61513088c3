import type { DatabaseSync } from 'node:sqlite'
import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { inTransaction } from './migrate.ts'
import type { Write } from './writes.ts'

/** Tells a row whose text the disk changed although the database's structure is sound. */
export const digestOf = (...texts: readonly string[]): string =>
  createHash('sha256').update(texts.join('\n')).digest('hex')

/** Why a row that can be read is not to be trusted; nothing for one that an older version wrote without a digest. */
export const changedByDisk = (digest: string | null | undefined, ...texts: readonly string[]): string | undefined =>
  digest == null || digest === digestOf(...texts) ? undefined : 'the disk changed it'

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string }

/** JSON text to a checked value; never throws. */
export function parseJson<S extends z.ZodType>(schema: S, text: unknown): Parsed<z.infer<S>> {
  if (typeof text !== 'string') return { ok: false, reason: 'it is not text' }
  let raw: unknown
  try {
    raw = JSON.parse(text)
  } catch {
    return { ok: false, reason: 'it is not JSON' }
  }
  const parsed = schema.safeParse(raw)
  if (parsed.success) return { ok: true, value: parsed.data }
  const issue = parsed.error.issues[0]
  return { ok: false, reason: `${issue?.path.join('.') || 'value'}: ${issue?.message ?? 'invalid'}` }
}

/** A row whose columns are text: the tables are STRICT, so SQLite keeps them so. */
export type TextRow = { readonly rowid: number } & Readonly<Record<string, string>>

type Unusable = { origin: string; rowid: number; key: string; value: string; reason: string }

/** Takes a row out of use and keeps what it said, so that nothing is lost without a trace. */
export const setAside = (db: DatabaseSync, { origin, rowid, key, value, reason }: Unusable): Write => ({
  key: `${origin} row ${rowid}`,
  run: () => {
    inTransaction(db, () => {
      db.prepare('INSERT INTO set_aside (at, origin, key, value, reason) VALUES (?, ?, ?, ?, ?)').run(
        Date.now(),
        origin,
        key,
        value,
        reason,
      )
      db.prepare(`DELETE FROM ${origin} WHERE rowid = ?`).run(rowid)
    })
  },
})
