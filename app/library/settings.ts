import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { appSettingsSchema, type AppSettings } from '../contract/settings.ts'
import { inTransaction } from './migrate.ts'
import { parseJson, setAside } from './rows.ts'

const keys = Object.keys(appSettingsSchema.shape) as (keyof AppSettings)[]

/** Half of the machine's memory for the engine's sessions. */
export const defaultSettings = (totalMemoryBytes: number): AppSettings => ({
  theme: 'system',
  memoryBudgetMiB: Math.min(1_048_576, Math.max(256, Math.floor(totalMemoryBytes / 2 ** 21))),
  modelFolders: [],
})

/**
 * Settings key by key: one that cannot be used falls back to its default, is kept in `set_aside`, and is named in
 * `notices`. Keys that this version does not know are left where they are.
 */
export function readSettings(
  db: DatabaseSyncInstance,
  defaults: AppSettings,
): { settings: AppSettings; notices: string[] } {
  const notices: string[] = []
  const settings: Record<string, unknown> = { ...defaults }
  for (const key of keys) {
    const row = db.prepare('SELECT value FROM settings WHERE key = ?').get(key) as { value: string } | undefined
    if (!row) continue
    const parsed = parseJson(appSettingsSchema.shape[key], row.value)
    if (parsed.ok) settings[key] = parsed.value
    else {
      notices.push(`The setting "${key}" could not be used (${parsed.reason}); it has its default again.`)
      inTransaction(db, () => {
        setAside(db, 'settings', key, row.value, parsed.reason)
        db.prepare('DELETE FROM settings WHERE key = ?').run(key)
      })
    }
  }
  return { settings: settings as AppSettings, notices }
}

export function writeSettings(db: DatabaseSyncInstance, settings: AppSettings): void {
  inTransaction(db, () => {
    const put = db.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)')
    for (const key of keys) put.run(key, JSON.stringify(settings[key]))
  })
}
