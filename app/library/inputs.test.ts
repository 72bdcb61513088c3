import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openInputs } from './inputs.ts'
import { newId } from './ids.ts'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'frameloom-inputs-'))))
afterEach(() => rmSync(folder, { recursive: true }))

const limit = 1000
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
async function* bodyOf(...parts: string[]) {
  for (const part of parts) {
    await Promise.resolve()
    yield Buffer.from(part)
  }
}
const day = 24 * 3600_000

test('a file is kept once, whatever it is called, under the name of its content', async () => {
  const inputs = openInputs(folder, new Set())
  const first = await inputs.receive({ name: '/home/me/cat.png', body: bodyOf('me', 'ow'), limit })
  expect(first).toEqual({ sha256: sha256('meow'), name: 'cat.png' })
  const again = await inputs.receive({ name: 'kitten.png', body: bodyOf('meow'), limit })
  expect(again).toEqual({ ...first, name: 'kitten.png' })
  expect(readdirSync(folder)).toEqual([first.sha256])
  expect(readFileSync(inputs.file(first.sha256)!, 'utf8')).toBe('meow')
})

test('what is empty or too long leaves nothing behind, and nothing but a hash finds a file', async () => {
  const inputs = openInputs(folder, new Set())
  await expect(inputs.receive({ name: 'a.png', body: bodyOf(), limit })).rejects.toMatchObject({
    problem: { code: 'bad-media', message: 'a.png is empty.' },
  })
  await expect(inputs.receive({ name: 'a.png', body: bodyOf('long'), limit: 3 })).rejects.toMatchObject({
    problem: { code: 'bad-media' },
  })
  expect(readdirSync(folder)).toEqual([])
  writeFileSync(join(folder, 'secret'), 'secret')
  for (const name of ['secret', '../secret', '', sha256('other')]) expect(inputs.file(name)).toBeUndefined()
})

test('a start lets go of what is old and not named, and of what never got its name', async () => {
  const now = Date.now()
  const before = openInputs(folder, new Set())
  const [named, old, asked, fresh] = await Promise.all(
    ['named', 'old', 'asked', 'fresh'].map((name) => before.receive({ name, body: bodyOf(name), limit })),
  )
  const age = (hash: string): void => utimesSync(join(folder, hash), now / 1000, (now - 31 * day) / 1000)
  for (const one of [named, old, asked]) age(one!.sha256)
  before.file(asked!.sha256)
  writeFileSync(join(folder, newId()), 'half')
  const after = openInputs(folder, new Set([named!.sha256]))
  expect(after.file(old!.sha256)).toBeUndefined()
  expect(readdirSync(folder).sort()).toEqual([named!, asked!, fresh!].map((one) => one.sha256).sort())
})
