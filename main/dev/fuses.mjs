import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { modulePath, root } from './process.mjs'

/**
 * Electron's fuses as electron-builder.yml sets them.
 * @returns {Record<string, boolean>} by electron-builder's names
 */
export function wantedFuses() {
  const config = readFileSync(path.join(root, 'electron-builder.yml'), 'utf8')
  const [, block = ''] = /^electronFuses:\n((?: {2}.*\n)*)/m.exec(config) ?? []
  const lines = [...block.matchAll(/^ {2}(\w+): (true|false)$/gm)]
  return Object.fromEntries(lines.map(([, name, value]) => [name, value === 'true']))
}

/**
 * What an Electron binary has set otherwise than is wanted, read back from the binary itself.
 * @param {string} binary
 * @returns {Promise<string[]>} the fuses that are, in words
 */
export async function wrongFuses(binary) {
  const { FuseV1Options, getCurrentFuseWire } = createRequire(modulePath('app-builder-lib/package.json'))(
    '@electron/fuses',
  )
  const wire = await getCurrentFuseWire(binary)
  return Object.entries(wantedFuses()).flatMap(([name, isOn]) => {
    const state = wire[FuseV1Options[name[0].toUpperCase() + name.slice(1)]]
    // The states of the wire are the characters 0 and 1.
    const is = state === undefined ? 'missing' : { 48: 'off', 49: 'on' }[state]
    return is === (isOn ? 'on' : 'off') ? [] : [`${name} is ${is ?? 'removed'}`]
  })
}

/** What electron-builder made in release/ and put into the installer. */
export function packagedBinaries() {
  const release = path.join(root, 'release')
  const [folder, name] = {
    linux: [/^linux.*unpacked$/, 'frameloom'],
    win32: [/^win.*unpacked$/, 'Frameloom.exe'],
    darwin: [/^mac/, 'Frameloom.app'],
  }[process.platform]
  return readdirSync(release, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && folder.test(entry.name))
    .map((entry) => path.join(release, entry.name, name))
}
