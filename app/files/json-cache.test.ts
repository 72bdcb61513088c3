import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { readJsonCache, writeJsonCache } from './json-cache.ts'

const schema = z.record(z.string(), z.number())
let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-json-cache-'))
  file = join(folder, 'deep', 'cache.json')
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('what was written is read, in a folder that is made for it', async () => {
  expect(await readJsonCache(file, schema)).toEqual({})
  await writeJsonCache(file, { a: 1 })
  await writeJsonCache(file, { a: 1, b: 2 })
  expect(await readJsonCache(file, schema)).toEqual({ a: 1, b: 2 })
  expect(readdirSync(join(folder, 'deep'))).toEqual(['cache.json'])
})

test('a damaged file, and one with other contents, is as none, and is replaced', async () => {
  await writeJsonCache(file, { a: 1 })
  for (const text of ['', readFileSync(file, 'utf8').slice(0, 4), '[]', '{"a": "1"}', '{"a": null}']) {
    writeFileSync(file, text)
    expect([text, await readJsonCache(file, schema)]).toEqual([text, {}])
  }
  await writeJsonCache(file, { b: 2 })
  expect(await readJsonCache(file, schema)).toEqual({ b: 2 })
})

test('a file that cannot be written is named', async () => {
  writeFileSync(join(folder, 'deep'), '')
  await expect(writeJsonCache(file, { a: 1 })).rejects.toMatchObject({ problem: { code: 'disk', file } })
})
