import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { insideStore } from './inside-store.ts'
import { hostileNames } from './test-hostile-names.ts'

let outer: string
let root: string
beforeAll(() => {
  outer = mkdtempSync(join(tmpdir(), 'frameloom-store-'))
  root = join(outer, 'store')
  mkdirSync(join(root, 'clips'), { recursive: true })
  mkdirSync(join(outer, 'store-twin'))
  writeFileSync(join(outer, 'secret'), 'secret')
  symlinkSync(join(outer, 'secret'), join(root, 'clips', 'link'))
  symlinkSync(outer, join(root, 'clips', 'up'))
  symlinkSync(join(outer, 'nowhere'), join(root, 'clips', 'dangling'))
})
afterAll(() => {
  rmSync(outer, { recursive: true })
})

describe('insideStore', () => {
  test('joins plain names', () => {
    expect(insideStore(root, 'clips', 'a.webp')).toBe(join(realpathSync(root), 'clips', 'a.webp'))
    expect(insideStore(root, 'library.sqlite')).toBe(join(realpathSync(root), 'library.sqlite'))
  })

  test('more than 400 hostile names lead nowhere, alone and below a folder', () => {
    expect(hostileNames.length).toBeGreaterThan(400)
    for (const name of hostileNames) {
      expect(() => insideStore(root, name), JSON.stringify(name)).toThrow(/There is no/)
      expect(() => insideStore(root, 'clips', name), JSON.stringify(name)).toThrow(/There is no/)
      expect(() => insideStore(root, name, 'a.webp'), JSON.stringify(name)).toThrow(/There is no/)
    }
  })

  test('links that lead out are refused, also to nowhere and on the way', () => {
    for (const names of [['link'], ['up'], ['up', 'secret'], ['dangling'], ['dangling', 'a'], ['up', 'new']]) {
      expect(() => insideStore(root, 'clips', ...names), names.join(sep)).toThrow(/There is no/)
    }
  })

  test('no name at all is refused', () => {
    expect(() => insideStore(root)).toThrow(/There is no/)
  })
})

test('paths inside the store are made in one place of any name, and in one of names that the studio gives', () => {
  const folder = import.meta.dirname
  const makers = readdirSync(folder)
    .filter((name) => name.endsWith('.ts') && !/\.test\.ts$|^test-/.test(name))
    .filter((name) =>
      /import \{[^}]*\b(join|resolve)\b[^}]*\} from 'node:path'/.test(readFileSync(join(folder, name), 'utf8')),
    )
  expect(makers).toEqual(['inside-store.ts', 'own-folders.ts'])
})
