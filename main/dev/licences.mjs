import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from './process.mjs'

// The notice that the installer carries: every package in it, with its licence and that one's text.

const textsDir = path.join(root, 'resources/licences')
const read = (file) => readFileSync(path.join(root, file), 'utf8')

/** What a package may be under to be shipped by a program under Apache-2.0. */
const permissive = ['MIT', 'ISC', '0BSD', 'BSD-2-Clause', 'BSD-3-Clause', 'Apache-2.0', 'CC0-1.0', 'MPL-2.0', 'OFL-1.1']
/** A shared library of its own, which a user can exchange: sharp's libvips. */
const libvips = /^@img\/sharp-/

/**
 * Why a package cannot be shipped; undefined where it can.
 * @param {string} name
 * @param {string | undefined} licence an SPDX expression
 */
export function licenceProblem(name, licence) {
  const isAllowed = (one) => permissive.includes(one) || (one === 'LGPL-3.0-or-later' && libvips.test(name))
  const parts = (licence ?? '').replace(/[()]/g, '').split(' AND ')
  if (parts.every((part) => part.split(' OR ').some((one) => isAllowed(one.trim())))) return undefined
  return `${name} is under ${licence || 'no licence that is named'}, which is not known to allow it`
}

/**
 * Every package that is shipped: those of `dependencies` and what they need, as far as this system has them, and those
 * that are bundled into the page.
 * @returns {{ name: string, folder: string, version: string, licence: string | undefined }[]} by name
 */
export function shippedPackages() {
  const lock = JSON.parse(read('package-lock.json')).packages
  const production = Object.keys(lock).filter((folder) => folder && !lock[folder].dev)
  const bundled = new Set()
  const visit = (name, from) => {
    for (let place = from; ; place = place.replace(/\/?node_modules\/(@[^/]+\/)?[^/]+$/, '')) {
      const folder = `${place && `${place}/`}node_modules/${name}`
      if (folder in lock) {
        if (bundled.has(folder)) return
        bundled.add(folder)
        for (const needed of Object.keys(lock[folder].dependencies ?? {})) visit(needed, folder)
        return
      }
      if (!place) throw new Error(`The page imports ${name}, which package-lock.json does not have.`)
    }
  }
  for (const name of importsOfPage()) visit(name, '')
  return [...new Set([...production, ...bundled])]
    .filter((folder) => existsSync(path.join(root, folder)) || !lock[folder].optional)
    .map((folder) => {
      const name = folder.replace(/.*node_modules\//, '')
      return { name, folder, version: lock[folder].version, licence: lock[folder].license }
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.version < b.version ? -1 : 1))
}

/** Names of the packages that the page's files import, without tests. */
function importsOfPage() {
  const files = readdirSync(path.join(root, 'renderer'), { recursive: true, encoding: 'utf8' })
  const sources = files.filter((file) => /\.(tsx?|css)$/.test(file) && !/\.test\.tsx?$/.test(file))
  const names = sources.flatMap((file) =>
    [...read(path.join('renderer', file)).matchAll(/(?:\bfrom|\bimport|@import) '((?:@[\w.-]+\/)?\w[\w.-]*)[/']/g)].map(
      ([, name]) => name,
    ),
  )
  return new Set(names)
}

/** The licence's text, as the package has it, or as it is kept here for packages that have none. */
function textOf({ name, folder }) {
  const own = readdirSync(path.join(root, folder)).filter((file) =>
    /^(licen[cs]e|copying|notice|copyright)/i.test(file),
  )
  if (own.length > 0) return own.map((file) => read(path.join(folder, file)).trim()).join('\n\n')
  if (/^onnxruntime-/.test(name)) return readFileSync(path.join(textsDir, 'onnxruntime.txt'), 'utf8').trim()
  // Its list of what is built in, each under which licence.
  if (/^@img\/sharp-libvips-/.test(name)) return `${read(path.join(folder, 'README.md')).trim()}\n\n${libvipsWords}`
  throw new Error(`${name} has no file with its licence. Add it to resources/licences and to main/dev/licences.mjs.`)
}

const libvipsWords = `libvips is a shared library of its own, in node_modules/@img. It is used unchanged, its source is
at https://github.com/libvips/libvips and https://github.com/lovell/sharp-libvips, and it can be exchanged for another
build of the same interface. The LGPL and the GPL, which it refers to, are at the end of this file.`

/**
 * The whole notice. Throws where a package must not be shipped, or has no text.
 * @param {ReturnType<typeof shippedPackages>} packages
 */
export function noticeText(packages) {
  const problems = packages.flatMap(({ name, licence }) => licenceProblem(name, licence) ?? [])
  if (problems.length > 0) throw new Error(`This cannot be shipped: ${problems.join('; ')}.`)
  const line = '-'.repeat(80)
  const chapter = (title, text) => `${line}\n${title}\n${line}\n\n${text}\n`
  const list = packages.map(({ name, version, licence }) => `${name} ${version}: ${licence}`)
  const text = (name) => readFileSync(path.join(textsDir, `${name}.txt`), 'utf8').trim()
  return [
    `Frameloom is under the Apache License 2.0, see LICENSE. It is shipped with the works of others:

Electron: MIT, see LICENSE.electron.txt; with Chromium: see LICENSES.chromium.html
Node.js: MIT, and what it holds: see LICENSE in the folder "node" of the resources
${list.join('\n')}

Their notices and licences follow.
`,
    ...packages.map((one) => chapter(`${one.name} ${one.version} (${one.licence})`, textOf(one))),
    chapter('GNU Lesser General Public License, version 3', text('LGPL-3.0')),
    chapter('GNU General Public License, version 3', text('GPL-3.0')),
  ].join('\n')
}

/** Writes the notice to where electron-builder.yml takes it from. */
export function writeNotices() {
  mkdirSync(path.join(root, 'dist'), { recursive: true })
  writeFileSync(path.join(root, 'dist/THIRD-PARTY-NOTICES.txt'), noticeText(shippedPackages()))
}
