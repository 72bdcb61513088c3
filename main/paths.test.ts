import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { dataDir, ffmpegPath, hubCacheDir, missingFolders, modelRoots } from './paths.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'frameloom-home-'))
  for (const name of ['HOME', 'USERPROFILE']) vi.stubEnv(name, home)
  for (const name of [
    'FRAMELOOM_DATA',
    'FRAMELOOM_MODELS',
    'HF_HOME',
    'HF_HUB_CACHE',
    'HUGGINGFACE_HUB_CACHE',
    'FRAMELOOM_FFMPEG',
  ])
    vi.stubEnv(name, '')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(home, { recursive: true })
})

const own = (): string[] => modelRoots().flatMap(({ folder, source }) => (source === 'folder' ? [folder] : []))

test('~ in a variable is the home folder', () => {
  expect(homedir()).toBe(home)
  for (const name of ['models', 'more', 'hf/hub']) mkdirSync(join(home, name), { recursive: true })
  vi.stubEnv('FRAMELOOM_DATA', '~/data')
  vi.stubEnv('FRAMELOOM_MODELS', ['~/models', '~/more'].join(delimiter))
  vi.stubEnv('HF_HOME', '~/hf')
  vi.stubEnv('FRAMELOOM_FFMPEG', '~/more')
  expect(ffmpegPath()).toBe(`${home}/more`)
  expect(dataDir()).toBe(join(home, 'data'))
  expect(hubCacheDir()).toBe(join(home, 'hf/hub'))
  expect(own()).toEqual([join(home, 'models'), join(home, 'more'), join(home, 'hf/hub')])
  vi.stubEnv('HF_HUB_CACHE', '~')
  expect(hubCacheDir()).toBe(home)
  vi.stubEnv('FRAMELOOM_DATA', '/a/~/b~')
  expect(dataDir()).toBe(join('/a/~/b~'))
  expect(missingFolders()).toEqual([])
})

test('a folder that a variable names and that is not there is told by variable and name', () => {
  mkdirSync(join(home, 'models'))
  vi.stubEnv('FRAMELOOM_MODELS', ['~/models', '~/nowhere', '/does/not/exist'].join(delimiter))
  vi.stubEnv('HF_HOME', '~/hf')
  const says = (name: string, folder: string): string =>
    `${name} names ${folder}, which is not there. Correct it, or make that folder.`
  expect(missingFolders()).toEqual([
    says('FRAMELOOM_MODELS', `${home}/nowhere`),
    says('FRAMELOOM_MODELS', '/does/not/exist'),
    says('HF_HOME', `${home}/hf`),
  ])
  expect(own()).toEqual([join(home, 'models')])
})

test('a path of Windows is one folder, wherever it is read', () => {
  vi.stubEnv('FRAMELOOM_MODELS', String.raw`C:\Users\me\models`)
  expect(missingFolders()).toEqual([
    String.raw`FRAMELOOM_MODELS names C:\Users\me\models, which is not there. Correct it, or make that folder.`,
  ])
})
