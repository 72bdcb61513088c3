import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

const script = async (name: string): Promise<unknown> =>
  import(pathToFileURL(path.join(import.meta.dirname, name)).href)
const { wantedFuses, wrongFuses } = (await script('fuses.mjs')) as {
  wantedFuses: () => Record<string, boolean>
  wrongFuses: (binary: string) => Promise<string[]>
}
const root = path.join(import.meta.dirname, '../..')
const readJson = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as unknown

const off = [
  'runAsNode',
  'enableNodeOptionsEnvironmentVariable',
  'enableNodeCliInspectArguments',
  'grantFileProtocolExtraPrivileges',
]

test('electron-builder turns off what the binary would do beside showing the window', () => {
  const wanted = wantedFuses()
  for (const name of off) expect(wanted[name], name).toBe(false)
  expect(wanted['enableCookieEncryption']).toBe(true)
  expect(Object.keys(wanted)).toHaveLength(8)
})

// What electron-builder does with a packaged binary, on one that has nothing but the wire of a fresh Electron.
test('the fuses are read back from the binary', async () => {
  type Flip = (file: string, config: Record<string, unknown>) => Promise<void>
  const from = createRequire(path.join(root, 'node_modules/app-builder-lib/package.json'))
  const { flipFuses } = from('@electron/fuses') as { flipFuses: Flip }
  const { PlatformPackager } = from('app-builder-lib') as {
    PlatformPackager: { prototype: { generateFuseConfig: (fuses: object) => Promise<Record<string, unknown>> } }
  }
  const folder = mkdtempSync(path.join(tmpdir(), 'frameloom-fuses-'))
  const binary = path.join(folder, 'electron')
  const wire = (states: string) =>
    writeFileSync(
      binary,
      Buffer.from(`ELF dL7pKGdnNz796PbbjQWNKmHXBZaB9tsX\x01${String.fromCharCode(states.length)}${states}`),
    )
  wire('101100011')
  expect(await wrongFuses(binary)).toEqual([
    'runAsNode is on',
    'enableCookieEncryption is off',
    'enableNodeOptionsEnvironmentVariable is on',
    'enableNodeCliInspectArguments is on',
    'grantFileProtocolExtraPrivileges is on',
  ])
  await flipFuses(binary, await PlatformPackager.prototype.generateFuseConfig(wantedFuses()))
  expect(await wrongFuses(binary)).toEqual([])
  wire('r1')
  expect((await wrongFuses(binary)).slice(0, 2)).toEqual([
    'runAsNode is removed',
    'enableNodeOptionsEnvironmentVariable is missing',
  ])
  rmSync(folder, { recursive: true })
})

test('Electron is the one of package.json, and of a major that is kept up', async () => {
  const { electronProblem } = (await script('electron.mjs')) as {
    electronProblem: (version: string, wanted: string, today: number) => string | undefined
  }
  const wanted = (readJson('package.json') as { devDependencies: Record<string, string> }).devDependencies['electron']!
  const locked = (readJson('package-lock.json') as { packages: Record<string, { version: string }> }).packages
  const { version } = readJson('node_modules/electron/package.json') as { version: string }
  const decided = Date.UTC(2026, 10, 30)
  expect(version).toBe(locked['node_modules/electron']?.version)
  expect(wanted).toMatch(/^\^\d+\.\d+\.\d+$/)
  expect(electronProblem(version, wanted, decided)).toBeUndefined()

  expect(electronProblem('45.4.0', '^45.4.1', decided)).toMatch(/older than package\.json asks for/)
  expect(electronProblem('45.5.0', '^45.4.1', decided)).toBeUndefined()
  expect(electronProblem('44.9.9', '^45.4.1', decided)).toMatch(/older/)
  const old = electronProblem('42.0.0', '^42.0.0', decided)
  expect(old).toBe('Electron 42 gets no fixes since about 2026-11: take a newer one')
  expect(electronProblem(version, wanted, Date.UTC(2027, 10, 30))).toMatch(/gets no fixes since about 2027-/)
  const packaging = readFileSync(path.join(import.meta.dirname, 'package.mjs'), 'utf8')
  expect(packaging).toMatch(/electronProblem\(version, electron, Date\.now\(\)\)/)
  expect(packaging).toMatch(/await wrongFuses\(binary\)/)
})
