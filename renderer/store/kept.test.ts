import { afterEach, expect, test, vi } from 'vitest'
import { keep, layoutStorage, readKept, readKeptJson } from './kept.ts'

afterEach(() => vi.unstubAllGlobals())

function storing(value: string | null): void {
  vi.stubGlobal('localStorage', { getItem: () => value, setItem: () => undefined })
}

test('a layout that is whole comes back, and nothing else does', () => {
  const whole = '{"form":22.5,"stage":77.5}'
  storing(whole)
  expect(layoutStorage.getItem('rows')).toBe(whole)
  for (const broken of [
    'x',
    'null',
    '3',
    '"form"',
    '[1]',
    '{"form":"wide"}',
    '{"form":null}',
    '{"form":22',
    '{"a":-1}',
    '',
  ]) {
    storing(broken)
    expect(layoutStorage.getItem('rows'), broken).toBeNull()
  }
})

test('a browser that forbids storage, or has no room, remembers nothing and fails in nothing', () => {
  const refuse = (): never => {
    throw new DOMException('denied', 'SecurityError')
  }
  vi.stubGlobal('localStorage', { getItem: refuse, setItem: refuse })
  expect(readKept('a')).toBeNull()
  expect(readKeptJson('a')).toBeNull()
  expect(layoutStorage.getItem('a')).toBeNull()
  expect(() => keep('a', 'b')).not.toThrow()
  vi.stubGlobal('localStorage', undefined)
  expect(readKept('a')).toBeNull()
  expect(() => keep('a', 'b')).not.toThrow()
})
