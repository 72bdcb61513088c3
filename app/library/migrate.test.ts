import { DatabaseSync } from 'node:sqlite'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { closeDatabase, openDatabase } from './database.ts'
import { migrate, migrations, versionOf, type Migration } from './migrate.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-migrate-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const two: readonly Migration[] = [
  ...migrations,
  {
    version: migrations.length + 1,
    statements: [
      'CREATE TABLE more (a TEXT) STRICT',
      "INSERT INTO more VALUES ('x')",
      'ALTER TABLE jobs ADD COLUMN b TEXT',
    ],
  },
]
const tablesOf = (db: DatabaseSync): string[] =>
  (db.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").all() as { name: string }[]).map(
    (row) => row.name,
  )

test('versions are 1, 2, 3 ... and statements make STRICT tables', () => {
  expect(migrations.map((one) => one.version)).toEqual(migrations.map((_, index) => index + 1))
  const { db } = openDatabase(join(folder, 'a'))
  const tables = db
    .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'")
    .all() as { strict: number }[]
  expect(tables.length).toBeGreaterThan(3)
  expect(tables.every((table) => table.strict === 1)).toBe(true)
  expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' })
  expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 })
  closeDatabase(db)
})

test('SQLite is one without the WAL bug', () => {
  const { db } = openDatabase(join(folder, 'a'))
  const { v } = db.prepare('SELECT sqlite_version() AS v').get() as { v: string }
  const [major = 0, minor = 0, patch = 0] = v.split('.').map(Number)
  expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(3_051_003)
  closeDatabase(db)
})

// What a process that is killed leaves is what it has written: the files as they are at that moment, copied.
test('killed before any statement, a database is of the old version or the new one', () => {
  const file = join(folder, 'library.sqlite')
  closeDatabase(openDatabase(file).db)
  const copies: string[] = []
  const { db } = openDatabase(file, {
    migrations: two,
    beforeStatement: (version, statement) => {
      const to = join(folder, `killed-${version}-${statement}`)
      mkdirSync(to)
      copies.push(to)
      for (const name of readdirSync(folder).filter((name) => /^library\.sqlite(-wal)?$/.test(name))) {
        copyFileSync(join(folder, name), join(to, name))
      }
    },
  })
  const whole = tablesOf(db)
  closeDatabase(db)
  expect(copies.length).toBe(4)
  for (const copy of copies) {
    const raw = new DatabaseSync(join(copy, 'library.sqlite'))
    expect(versionOf(raw)).toBe(migrations.length)
    expect(tablesOf(raw)).not.toContain('more')
    closeDatabase(raw)
    const again = openDatabase(join(copy, 'library.sqlite'), { migrations: two })
    expect(again.setAside).toBeNull()
    expect(versionOf(again.db)).toBe(two.length)
    expect(tablesOf(again.db)).toEqual(whole)
    closeDatabase(again.db)
  }
})

test('a statement that fails takes its whole migration back', () => {
  const db = new DatabaseSync(join(folder, 'a'))
  const bad: Migration = {
    version: two.length,
    statements: ['CREATE TABLE more (a TEXT) STRICT', 'CREATE TABLE more (a TEXT) STRICT'],
  }
  expect(() => {
    migrate(db, { migrations: [...migrations, bad] })
  }).toThrow(/already exists/)
  expect(versionOf(db)).toBe(migrations.length)
  expect(tablesOf(db)).not.toContain('more')
  closeDatabase(db)
})

test('data is copied before it is migrated', () => {
  const file = join(folder, 'library.sqlite')
  const { db } = openDatabase(file)
  db.exec("INSERT INTO settings (key, value) VALUES ('theme', '\"dark\"')")
  closeDatabase(db)
  closeDatabase(openDatabase(file, { migrations: two }).db)
  const backup = new DatabaseSync(`${file}.before-v${two.length}`)
  expect(versionOf(backup)).toBe(migrations.length)
  expect(backup.prepare('SELECT value FROM settings').get()).toEqual({ value: '"dark"' })
  closeDatabase(backup)
})

test('a library of a newer Frameloom is refused and left alone', () => {
  const file = join(folder, 'library.sqlite')
  closeDatabase(openDatabase(file, { migrations: two }).db)
  expect(() => openDatabase(file)).toThrow(/newer Frameloom/)
  expect(readdirSync(folder)).toEqual(['library.sqlite'])
})

test('a second owner is refused, and the first one keeps its file', () => {
  const file = join(folder, 'library.sqlite')
  const { db } = openDatabase(file)
  expect(() => openDatabase(file, { waitMs: 50 })).toThrow(/Another Frameloom has the library/)
  db.exec("INSERT INTO settings (key, value) VALUES ('theme', '\"dark\"')")
  closeDatabase(db)
  expect(existsSync(file)).toBe(true)
  closeDatabase(openDatabase(file).db)
})
