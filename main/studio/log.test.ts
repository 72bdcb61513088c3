import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { setWriteFault } from '#app/files/write-fault.ts'
import { openLog } from './log.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-log-'))
})
afterEach(() => {
  setWriteFault()
  rmSync(folder, { recursive: true })
})

const file = (): string => join(folder, 'logs/frameloom.log')
const messages = (): string[] =>
  readFileSync(file(), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg)

test('an engine that writes without end fills two files of the limit, and no more', () => {
  const log = openLog(folder, 10_000)
  for (let n = 0; n < 2000; n++) log.info({ stream: 'stdout' }, `${n} ${'x'.repeat(200)}`)
  log.info({}, 'y'.repeat(100_000))
  log.info({}, 'the last')
  log.close()
  const names = readdirSync(join(folder, 'logs')).sort()
  expect(names).toEqual(['frameloom.1.log', 'frameloom.log'])
  // A line more than the limit at most, and that is cut at the limit.
  for (const name of names) expect(statSync(join(folder, 'logs', name)).size).toBeLessThan(20_100)
  expect(readFileSync(file(), 'utf8')).toContain('the last')
})

test('a log that was there is continued, and begun anew when it is full', () => {
  const write = (message: string): void => {
    const log = openLog(folder, 1000)
    log.info({}, message)
    log.close()
  }
  write('one')
  write('two')
  expect(messages()).toEqual(['one', 'two'])
  writeFileSync(file(), 'x'.repeat(1000))
  write('three')
  expect(messages()).toEqual(['three'])
})

test.each(['ENOSPC', 'EIO', 'EMFILE'])('%s never throws, and what is missing is counted', (code) => {
  const log = openLog(folder)
  log.info({}, 'before')
  setWriteFault(`${code}:0-`)
  for (let n = 0; n < 5; n++) log.error({ error: new Error('x') }, 'lost')
  setWriteFault()
  log.info({}, 'after')
  log.close()
  expect(messages()).toEqual(['before', '5 lines could not be written', 'after'])
})

test('where no log can be, there is none', () => {
  writeFileSync(join(folder, 'a file'), '')
  const nowhere = openLog(join(folder, 'a file'))
  nowhere.info({}, 'lost')
  nowhere.close()
  mkdirSync(file(), { recursive: true })
  const inTheWay = openLog(folder)
  inTheWay.info({}, 'lost')
  inTheWay.close()
  expect(readdirSync(file())).toEqual([])
})
