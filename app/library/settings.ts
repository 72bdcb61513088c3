import type { DatabaseSync } from 'node:sqlite'
import { appSettingsSchema, type AppSettings } from '../contract/settings.ts'
import { inTransaction } from './migrate.ts'
import { changedByDisk, digestOf, parseJson, setAside, type TextRow } from './rows.ts'
import type { Write } from './writes.ts'

const keys = Object.keys(appSettingsSchema.shape) as (keyof AppSettings)[]

/** Half of the machine's memory for the engine's sessions. */
export const defaultSettings = (totalMemoryBytes: number): AppSettings => ({
  theme: 'system',
  memoryBudgetMiB: Math.min(1_048_576, Math.max(256, Math.floor(totalMemoryBytes / 2 ** 21))),
  threads: null,
  modelFolders: [],
})

/**
 * Settings key by key: one that cannot be used falls back to its default and is named in `notices`; `repairs` take its
 * row out of use. Keys that this version does not know are left where they are.
 */
export function readSettings(
  db: DatabaseSync,
  defaults: AppSettings,
): { settings: AppSettings; notices: string[]; repairs: Write[] } {
  const notices: string[] = []
  const repairs: Write[] = []
  const settings: Record<string, unknown> = { ...defaults }
  for (const key of keys) {
    const row = db.prepare('SELECT rowid, value, digest FROM settings WHERE key = ?').get(key) as TextRow | undefined
    if (!row) continue
    const value = row['value'] ?? ''
    const parsed = parseJson(appSettingsSchema.shape[key], value)
    const reason = parsed.ok ? changedByDisk(row['digest'], key, value) : parsed.reason
    if (parsed.ok && reason === undefined) settings[key] = parsed.value
    else {
      notices.push(`The setting "${key}" could not be used (${reason}); it has its default again.`)
      repairs.push(setAside(db, { origin: 'settings', rowid: row.rowid, key, value, reason: reason ?? '' }))
    }
  }
  return { settings: settings as AppSettings, notices, repairs }
}

export function writeSettings(db: DatabaseSync, settings: AppSettings): void {
  inTransaction(db, () => {
    const put = db.prepare('INSERT OR REPLACE INTO settings (key, value, digest) VALUES (?, ?, ?)')
    for (const key of keys) {
      const value = JSON.stringify(settings[key])
      put.run(key, value, digestOf(key, value))
    }
  })
}
