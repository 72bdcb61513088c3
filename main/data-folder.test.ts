import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { inDataDir, makeDataDir } from './data-folder.ts'
import { openStudio } from './studio/open-studio.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'frameloom-data-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(root, { recursive: true })
})

test('a data folder that cannot be made: the reason, the variable, and what to do', async () => {
  const file = join(root, 'afile')
  writeFileSync(file, '')
  vi.stubEnv('FRAMELOOM_DATA', file)
  expect(() => makeDataDir()).toThrow(
    `The data folder ${file} cannot be made: there is a file of that name. FRAMELOOM_DATA or --data-dir names it: choose a folder that you can write, or change this one's permissions.`,
  )
  await expect(openStudio()).rejects.toThrow(/cannot be made: there is a file of that name/)
  vi.stubEnv('FRAMELOOM_DATA', '')
  expect(() => makeDataDir(join(file, 'inside'))).toThrow(
    /a part of the path is a file\. Set FRAMELOOM_DATA to a folder/,
  )
})

const mayWriteAll = process.getuid?.() === 0 || process.platform === 'win32'
if (mayWriteAll) console.log('SKIPPED: no folder is closed to this user, so none can be tried.')
test.skipIf(mayWriteAll)('a data folder that cannot be written is told so, whatever failed in it', async () => {
  const folder = join(root, 'ro')
  mkdirSync(folder)
  chmodSync(folder, 0o555)
  await expect(openStudio({ dataDir: folder })).rejects.toThrow(
    `The data folder ${folder} cannot be written: this user has no permission.`,
  )
})

test('another error inside a good folder stays what it is', async () => {
  const failing = inDataDir(join(root, 'good'), () => Promise.reject(new Error('another')))
  await expect(failing).rejects.toThrow(/^another$/)
})
