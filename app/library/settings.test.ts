import { DatabaseSync } from 'node:sqlite'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { appSettingsSchema, type AppSettings } from '../contract/settings.ts'
import { migrate } from './migrate.ts'
import { defaultSettings, readSettings, writeSettings } from './settings.ts'

let db: DatabaseSync
beforeEach(() => {
  db = new DatabaseSync(':memory:')
  migrate(db)
})
afterEach(() => {
  db.close()
})

const defaults = defaultSettings(16 * 2 ** 30)
const own: AppSettings = { theme: 'dark', memoryBudgetMiB: 2048, threads: null, modelFolders: ['/models', '/größer'] }
const put = (key: string, value: string): void => {
  db.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)').run(key, value)
}

test('defaults are valid on small and large machines', () => {
  for (const bytes of [0, 2 ** 28, 2 ** 34, 2 ** 45, 2 ** 60]) appSettingsSchema.parse(defaultSettings(bytes))
  expect(defaults.memoryBudgetMiB).toBe(8192)
})

test('what was saved is read', () => {
  writeSettings(db, own)
  expect(readSettings(db, defaults)).toEqual({ settings: own, notices: [], repairs: [] })
})

test('a bad key falls back alone, is kept aside and named once', () => {
  writeSettings(db, own)
  put('theme', '"pink"')
  const { settings, notices, repairs } = readSettings(db, defaults)
  for (const { run } of repairs) run()
  expect(settings).toEqual({ ...own, theme: 'system' })
  expect(notices).toEqual([expect.stringContaining('"theme"')])
  expect(db.prepare('SELECT origin, key, value FROM set_aside').all()).toEqual([
    { origin: 'settings', key: 'theme', value: '"pink"' },
  ])
  expect(readSettings(db, defaults)).toEqual({ settings: { ...own, theme: 'system' }, notices: [], repairs: [] })
})

test('20,000 mutated rows: always valid, nothing polluted', () => {
  const keys = fc.constantFrom('theme', 'memoryBudgetMiB', 'modelFolders', '__proto__', 'constructor', 'other')
  const values = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constantFrom(
      '{"__proto__":{"polluted":1}}',
      '["__proto__"]',
      'null',
      '1e999',
      '-1',
      '""',
      '[[]]',
      '{',
      '[""]',
      '"dark"',
    ),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(keys, values), { minLength: 1, maxLength: 4, size: 'max' }), (rows) => {
      db.exec('DELETE FROM settings')
      for (const [key, value] of rows) put(key, value)
      appSettingsSchema.parse(readSettings(db, defaults).settings)
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    }),
    { numRuns: 8000 },
  )
})
