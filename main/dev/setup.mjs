import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { captureNode, captureNpm, fail, modulePath, root } from './process.mjs'

const installStamp = modulePath('.frameloom')

/**
 * What dist/ is built from: the processes (dist/node), the page (dist/renderer), parity and bench (dist/tools), and
 * what tests run.
 */
const processes = ['app', 'main', 'vite.node.config.ts']
const parts = { node: processes, renderer: ['app', 'renderer', 'vite.config.ts'], tools: processes, test: processes }
export const allParts = Object.keys(parts)
export const shippedParts = ['node', 'renderer']
const buildStamp = (part) => path.join(root, `dist/.${part}-stamp`)

/** Node 20.19 is the first that loads ES modules by require(), which the tools need. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  fail(`Node ${process.versions.node} is too old. Install Node 20.19 or newer (https://nodejs.org) and run this again.`)
}

/**
 * Installs the packages of package-lock.json when they are missing or not those. `log` is given a line when it must.
 */
export async function ensureInstalled(log) {
  const wanted = `${sha256(readFileSync(path.join(root, 'package-lock.json')))} ${process.platform}-${process.arch}`
  if (readText(installStamp) === wanted) return
  if (!isInstalledAsLocked()) {
    log('Installing packages (a minute or two, once) ...')
    const { code, output } = await captureNpm(['ci', '--no-audit', '--no-fund'])
    if (code !== 0) {
      process.stderr.write(tail(output, 25))
      fail(
        'the packages could not be installed: see npm above. Is the network reachable? Then run this again, or run `npm ci`.',
      )
    }
  }
  writeFileSync(installStamp, wanted)
}

/**
 * Builds those parts of dist/ whose sources have changed. `log` is given a line when it must. Returns false when that
 * failed.
 */
export async function ensureBuilt(log, wanted = shippedParts) {
  const stale = wanted.filter((part) => readText(buildStamp(part)) !== sourcesDigest(part))
  if (stale.length === 0) return true
  log('Building ...')
  const { code, output } = await captureNode([path.join(import.meta.dirname, 'build.mjs'), ...stale])
  if (code === 0) return true
  process.stderr.write(tail(output, 60))
  return false
}

/** Changes when a source of that part does. To be taken before the sources are read. */
export function sourcesDigest(part) {
  const lines = [...parts[part], 'package.json', 'package-lock.json', 'tsconfig.base.json']
    .flatMap((name) => filesBelow(path.join(root, name)))
    .filter((file) => !/\.test\.tsx?$|\.mjs$/.test(file))
    .map((file) => {
      const { size, mtimeMs } = statSync(file)
      return `${path.relative(root, file)} ${size} ${mtimeMs}`
    })
  return sha256(lines.sort().join('\n'))
}

export function markBuilt(part, digest) {
  mkdirSync(path.join(root, 'dist'), { recursive: true })
  writeFileSync(buildStamp(part), digest)
}

/** True when node_modules holds what package-lock.json asks for, however it was installed. */
function isInstalledAsLocked() {
  const installed = readText(modulePath('.package-lock.json'))
  if (installed === undefined) return false
  const lock = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')).packages
  const found = JSON.parse(installed).packages
  return Object.entries(lock).every(
    ([name, entry]) => name === '' || (entry.optional && !found[name]) || found[name]?.version === entry.version,
  )
}

function filesBelow(name) {
  if (!existsSync(name)) return []
  if (statSync(name).isFile()) return [name]
  return readdirSync(name, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
}

const sha256 = (data) => createHash('sha256').update(data).digest('hex')
const readText = (file) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)
const tail = (text, lines) => `${text.trimEnd().split('\n').slice(-lines).join('\n')}\n`
