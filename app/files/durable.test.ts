import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { makeDurably, syncFolder, writeDurably, writerOf, writeSynced } from './durable.ts'
import { setWriteFault } from './write-fault.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-durable-'))
})
afterEach(() => {
  setWriteFault()
  rmSync(folder, { recursive: true })
})

const chunks = [Buffer.from('one '), Buffer.from('two '), Buffer.from('three')]

test('writes the whole file and leaves nothing else', async () => {
  await writeDurably(join(folder, 'a'), chunks)
  expect(readFileSync(join(folder, 'a'), 'utf8')).toBe('one two three')
  expect(readdirSync(folder)).toEqual(['a'])
})

test('a failure at any operation leaves the old file or the new one, and no part', async () => {
  const file = join(folder, 'a')
  setWriteFault()
  await writeDurably(file, chunks)
  const operations = setWriteFault()
  expect(operations).toBeGreaterThanOrEqual(6)
  for (let n = 0; n < operations; n++) {
    writeFileSync(file, 'old')
    setWriteFault(`ENOSPC:${n}`)
    await expect(writeDurably(file, chunks)).rejects.toMatchObject({
      problem: { code: 'disk', file, message: `${file} could not be written: the disk is full. Free some space.` },
    })
    // Only the sync of the folder comes after the new name.
    const after = process.platform !== 'win32' && n === operations - 1 ? 'one two three' : 'old'
    expect([n, readFileSync(file, 'utf8')]).toEqual([n, after])
    expect(readdirSync(folder)).toEqual(['a'])
  }
})

test('what the chunks throw comes through as it is, and leaves the old file', async () => {
  const file = join(folder, 'a')
  writeFileSync(file, 'old')
  const stop = new Error('stopped')
  const halting = async function* () {
    yield await Promise.resolve(chunks[0]!)
    throw stop
  }
  await expect(writeDurably(file, halting())).rejects.toBe(stop)
  expect(readFileSync(file, 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['a'])
})

test('two writers at once: the file is wholly that of the one who ended last', async () => {
  const file = join(folder, 'a')
  let go = (): void => {}
  const turn = new Promise<void>((resolve) => (go = resolve))
  const writing = async function* (text: string, until?: Promise<void>) {
    yield Buffer.from(text)
    await until
    yield Buffer.from(text)
  }
  const first = writeDurably(file, writing('first ', turn))
  await writeDurably(file, writing('second '))
  expect(readFileSync(file, 'utf8')).toBe('second second ')
  go()
  await first
  expect(readFileSync(file, 'utf8')).toBe('first first ')
  expect(readdirSync(folder)).toEqual(['a'])
})

test('the half of a file says which process writes it', async () => {
  const names: string[] = []
  const looking = async function* () {
    yield chunks[0]!
    names.push(...(await fs.readdir(folder)))
  }
  await writeDurably(join(folder, 'a'), looking())
  expect(names.map(writerOf)).toEqual([process.pid])
  expect(['a', 'a.part', 'a.12.part'].map(writerOf)).toEqual([undefined, undefined, undefined])
})

test('a folder appears when all is in it, or not at all', async () => {
  const made = join(folder, 'made')
  const make = (fault?: Error) =>
    makeDurably(made, async (part) => {
      mkdirSync(part)
      await writeSynced(join(part, 'one'), chunks)
      if (fault) throw fault
      await syncFolder(part)
    })
  const fault = new Error('stopped')
  await expect(make(fault)).rejects.toBe(fault)
  expect(readdirSync(folder)).toEqual([])
  await make()
  expect(readdirSync(made)).toEqual(['one'])
  expect(readdirSync(folder)).toEqual(['made'])
})

test.runIf(process.platform !== 'win32')('a file that only its owner may read is so from the first byte', async () => {
  const modes: number[] = []
  const looking = async function* () {
    yield chunks[0]!
    for (const name of await fs.readdir(folder)) modes.push((await fs.stat(join(folder, name))).mode & 0o777)
  }
  await writeDurably(join(folder, 'a'), looking(), 0o600)
  expect([...modes, (await fs.stat(join(folder, 'a'))).mode & 0o777]).toEqual([0o600, 0o600])
})

test('a folder that is not there is named, and what to do', async () => {
  await expect(writeDurably(join(folder, 'no/a'), chunks)).rejects.toThrow(
    /a could not be written: its folder does not exist\. Make it, or choose another\./,
  )
})
