import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'

type Shipped = { name: string; folder: string; version: string; licence: string | undefined }
const { licenceProblem, noticeText, shippedPackages } = (await import(
  pathToFileURL(path.join(import.meta.dirname, 'licences.mjs')).href
)) as {
  licenceProblem: (name: string, licence: string | undefined) => string | undefined
  noticeText: (packages: Shipped[]) => string
  shippedPackages: () => Shipped[]
}
const root = path.join(import.meta.dirname, '../..')
const readJson = (file: string) => JSON.parse(readFileSync(path.join(root, file), 'utf8')) as unknown

test('the notice names every package that is shipped, each with its version, licence and text', () => {
  const packages = shippedPackages()
  const notice = noticeText(packages)
  const { dependencies } = readJson('package.json') as { dependencies: Record<string, string> }
  const bundled = ['react', 'react-dom', 'scheduler', '@base-ui/react', '@floating-ui/core', 'zustand', 'lucide-react']
  const fonts = ['@fontsource-variable/geist']
  for (const name of [...Object.keys(dependencies), ...bundled, ...fonts]) {
    const found = packages.find((one) => one.name === name)
    expect(notice, name).toContain(`\n${name} ${found?.version}: ${found?.licence}\n`)
    expect(notice, name).toContain(`\n${name} ${found?.version} (${found?.licence})\n`)
  }
  expect(packages.filter(({ name }) => /^(vite|vitest|electron|electron-builder|typescript)$/.test(name))).toEqual([])
  for (const words of ['Electron: MIT', 'Node.js: MIT', 'Copyright (c) Microsoft Corporation', 'SIL OPEN FONT LICENSE'])
    expect(notice).toContain(words)
})

test('libvips is named with its licence, what is built into it, and where its source is', () => {
  const notice = noticeText(shippedPackages())
  expect(notice).toMatch(/\n@img\/sharp-libvips-[\w-]+ [\d.]+: LGPL-3\.0-or-later\n/)
  expect(notice).toMatch(/\| libvips +\| LGPLv3/)
  expect(notice).toContain('https://github.com/lovell/sharp-libvips')
  expect(notice).toContain('GNU LESSER GENERAL PUBLIC LICENSE')
  expect(notice).toContain('GNU GENERAL PUBLIC LICENSE')
})

test('a licence that is unknown, or asks for ours, is refused by name', () => {
  const [first] = shippedPackages()
  for (const licence of [
    'GPL-3.0-only',
    'GPL-2.0-or-later',
    'AGPL-3.0-only',
    'MIT AND GPL-3.0-only',
    'LGPL-3.0-or-later',
    'SEE LICENSE IN LICENSE',
    'UNLICENSED',
    '',
    undefined,
  ]) {
    expect(licenceProblem('some-package', licence), licence).toMatch(/^some-package is under .+, which is not known/)
    expect(() => noticeText([{ ...first!, licence }]), licence).toThrow(/cannot be shipped/)
  }
  for (const licence of ['MIT', '(MIT OR GPL-3.0-only)', 'Apache-2.0 AND MIT', '(MIT OR CC0-1.0)'])
    expect(licenceProblem('some-package', licence), licence).toBeUndefined()
  expect(licenceProblem('@img/sharp-libvips-linux-x64', 'LGPL-3.0-or-later')).toBeUndefined()
})

test('a package without the text of its licence is refused, too', () => {
  const bare = { name: 'bare', folder: 'app/contract', version: '1.0.0', licence: 'MIT' }
  expect(() => noticeText([bare])).toThrow(/bare has no file with its licence/)
})

test('the installer carries the notice', () => {
  const config = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')
  expect(config).toMatch(/^extraFiles:\n {2}- from: dist\/THIRD-PARTY-NOTICES\.txt\n/m)
  expect(readFileSync(path.join(import.meta.dirname, 'package.mjs'), 'utf8')).toMatch(/^writeNotices\(\)$/m)
})
