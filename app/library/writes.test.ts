import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { closeDatabase, openDatabase } from './database.ts'
import { createWrites, type Writes } from './writes.ts'

let folder: string
let db: DatabaseSync
let writes: Writes
let told: string[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-writes-'))
  ;({ db } = openDatabase(join(folder, 'library.sqlite')))
  told = []
  writes = createWrites('library.sqlite', (message) => told.push(message), 5)
})
afterEach(() => {
  closeDatabase(db)
  rmSync(folder, { recursive: true })
})

/** SQLite's own limit: what is beyond it fails as on a full disk. */
const setFull = (isFull: boolean): void => {
  const { page_count: pages } = db.prepare('PRAGMA page_count').get() as { page_count: number }
  db.exec(`PRAGMA max_page_count = ${isFull ? pages : 1_000_000}`)
}
const large = 'x'.repeat(50_000)
const put = (key: string, value: string) => (): void =>
  void db.prepare('INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)').run(key, value)
const kept = (): unknown => db.prepare('SELECT key, substr(value, 1, 5) AS value FROM settings ORDER BY key').all()

test('what a full disk refuses is told once, kept, and written when there is room: the newest of each', async () => {
  setFull(true)
  writes.late({ key: 'a', run: put('a', `1${large}`) })
  writes.late({ key: 'a', run: put('a', `2${large}`) })
  writes.late({ key: 'b', run: put('b', `3${large}`) })
  expect(told).toEqual([expect.stringMatching(/^The library library.sqlite cannot be written: the disk is full/)])
  expect(writes.trouble()).toBe(told[0])
  expect(kept()).toEqual([])
  writes.late({ key: 'c', run: put('c', 'small') }) // there is room for it
  expect(kept()).toEqual([{ key: 'c', value: 'small' }])
  setFull(false)
  await vi.waitUntil(() => writes.trouble() === null, { timeout: 300_000 })
  expect(kept()).toEqual([
    { key: 'a', value: '2xxxx' },
    { key: 'b', value: '3xxxx' },
    { key: 'c', value: 'small' },
  ])
})

test('a later write of the same key takes the place of the one that waits', () => {
  setFull(true)
  writes.late({ key: 'a', run: put('a', large) })
  writes.late({ key: 'a', run: () => void db.prepare('DELETE FROM settings').run() })
  expect(writes.trouble()).toBeNull()
  setFull(false)
  writes.close()
  expect(kept()).toEqual([])
})

test('closing tries once more', () => {
  setFull(true)
  writes.late({ key: 'a', run: put('a', large) })
  setFull(false)
  writes.close()
  expect(kept()).toEqual([{ key: 'a', value: 'xxxxx' }])
})

test('a write that somebody waits for fails in words, and is not tried again', async () => {
  setFull(true)
  expect(() => writes.now(put('a', large))).toThrow(
    expect.objectContaining({
      problem: {
        code: 'disk',
        file: 'library.sqlite',
        message: 'The library library.sqlite could not be written: the disk is full. Free some space.',
      },
    }),
  )
  setFull(false)
  writes.close()
  expect(kept()).toEqual([])
})

test('a fault of the program is no fault of the disk', () => {
  const fault = new TypeError('a fault')
  const run = (): never => {
    throw fault
  }
  expect(() => writes.late({ key: 'a', run })).toThrow(fault)
  expect(() => writes.now(run)).toThrow(fault)
  expect(writes.trouble()).toBeNull()
})
