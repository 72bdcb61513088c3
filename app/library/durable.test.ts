import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeDurably, type DurableFs } from './durable.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-durable-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

const chunks = [Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]

/** The real file operations, of which the n-th fails as a full disk would. */
function failingAt(n: number): { fs: DurableFs; count: () => number } {
  let done = 0
  const step = (): void => {
    if (done++ === n) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' })
  }
  const counted: DurableFs = {
    open: async (...args) => {
      step()
      const handle = await fs.open(...args)
      return new Proxy(handle, {
        get: (target, key) => {
          const value: unknown = Reflect.get(target, key)
          if (typeof value !== 'function') return value
          return (...rest: unknown[]) => {
            if (key === 'writeFile' || key === 'sync') step()
            return (value as (...rest: unknown[]) => unknown).apply(target, rest)
          }
        },
      })
    },
    rename: (from, to) => {
      step()
      return fs.rename(from, to)
    },
    unlink: fs.unlink,
  }
  return { fs: counted, count: () => done }
}

test('writes the whole file and leaves nothing else', async () => {
  await writeDurably(join(folder, 'a'), chunks)
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one two three')
  expect(readdirSync(folder)).toEqual(['a'])
})

test('a failure at any operation leaves the old file or the new one, and no part', async () => {
  const file = join(folder, 'a')
  const { fs: sound, count } = failingAt(-1)
  await writeDurably(file, chunks, sound)
  const operations = count()
  expect(operations).toBeGreaterThanOrEqual(6)
  for (let n = 0; n < operations; n++) {
    writeFileSync(file, 'old')
    await expect(writeDurably(file, chunks, failingAt(n).fs)).rejects.toMatchObject({
      problem: { code: 'disk', file, message: expect.stringContaining('no space left') as string },
    })
    expect(['old', 'one two three']).toContain(readFileSync(file, 'utf8'))
    expect(existsSync(`${file}.part`)).toBe(false)
  }
})
