import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { knock, openDoor, type Answer } from './door.ts'

const link = (n: number): Answer => ({ kind: 'link', url: `http://127.0.0.1:8715/?token=${n}` })
const warnings: string[] = []
const log = { info: () => {}, warn: (_: object, message: string) => void warnings.push(message), error: () => {} }

let dataDir: string
let socket: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'frameloom-door-'))
  mkdirSync(join(dataDir, 'scratch'), { mode: 0o700 })
  socket = join(dataDir, 'scratch/door.sock')
  warnings.length = 0
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const say = (text: string): Promise<string> =>
  new Promise((resolve, reject) => {
    let heard = ''
    const line = connect(socket, () => line.write(text))
    line.on('data', (data) => (heard += data.toString()))
    line.on('error', reject).on('close', () => resolve(heard))
  })

test('each one who knocks is answered anew, and nobody after it is closed', async () => {
  let asked = 0
  const close = await openDoor(dataDir, log, () => link(++asked))
  expect(await knock(dataDir)).toEqual(link(1))
  expect(await Promise.all([knock(dataDir), knock(dataDir)])).toEqual(expect.arrayContaining([link(2), link(3)]))
  close()
  expect(await knock(dataDir)).toBeUndefined()
  expect(asked).toBe(3)
  expect(warnings).toEqual([])
})

test.runIf(process.platform !== 'win32')(
  'only its user can reach it, and who asks for nothing gets nothing',
  async () => {
    let asked = 0
    const close = await openDoor(dataDir, log, () => link(++asked))
    expect(statSync(socket).mode & 0o077).toBe(0)
    expect(statSync(join(dataDir, 'scratch')).mode & 0o077).toBe(0)
    for (const text of ['GET / HTTP/1.1\r\n\r\n', 'open\nopen\n', 'Open\n', '\n', 'x'.repeat(100_000)])
      expect(await say(text).catch(() => '')).toBe('')
    expect(asked).toBe(0)
    expect(await knock(dataDir)).toEqual(link(1))
    close()
  },
)

test.runIf(process.platform !== 'win32')('what a killed studio left, or is no door, is no answer', async () => {
  expect(await knock(join(dataDir, 'nowhere'))).toBeUndefined()
  expect(await knock(dataDir)).toBeUndefined()
  writeFileSync(socket, 'left')
  expect(await knock(dataDir)).toBeUndefined()
  const close = await openDoor(dataDir, log, () => link(1))
  expect(await knock(dataDir)).toEqual(link(1))
  close()
})

test('an answer that is no link of a studio is none', async () => {
  for (const answer of [{ kind: 'link', url: 'file:///etc/passwd' }, { kind: 'link' }, { kind: 'door' }, null]) {
    const close = await openDoor(dataDir, log, () => answer as Answer)
    expect(await knock(dataDir)).toBe('silent')
    close()
  }
})

test.runIf(process.platform !== 'win32')('where a folder takes no socket the studio runs without a door', async () => {
  const deep = join(dataDir, 'a-long-name-of-a-folder'.repeat(5))
  mkdirSync(join(deep, 'scratch'), { recursive: true })
  const close = await openDoor(deep, log, () => link(1))
  expect(warnings).toEqual(['a second start cannot open this studio'])
  expect(existsSync(join(deep, 'scratch/door.sock'))).toBe(false)
  expect(await knock(deep)).toBeUndefined()
  close()
})
