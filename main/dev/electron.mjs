import { fork } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { modulePath, tie } from './process.mjs'

const failureStamp = modulePath('.frameloom-electron.json')
const retryAfterMs = 24 * 3600 * 1000
const firstByteMs = 8_000
const stalledMs = 10_000

/** The Electron binary of node_modules, or undefined where it was not downloaded yet. */
export function electronBinary() {
  const pathFile = modulePath('electron/path.txt')
  if (!existsSync(pathFile)) return undefined
  const dist = process.env.ELECTRON_OVERRIDE_DIST_PATH ?? modulePath('electron/dist')
  const file = path.join(dist, readFileSync(pathFile, 'utf8'))
  return existsSync(file) ? file : undefined
}

/**
 * For the window's process: it must not run as Node, and is told which Node runs the engine, since its own binary
 * cannot.
 * @param {NodeJS.ProcessEnv} inherited
 */
export function windowEnvironment({ ...inherited }) {
  delete inherited.ELECTRON_RUN_AS_NODE
  return { ...inherited, FRAMELOOM_NODE: inherited.FRAMELOOM_NODE || process.execPath }
}

/**
 * Downloads the Electron binary, and gives up after 8 s without a first byte or 10 s without another one. A failure is
 * remembered for a day, so that the next start does not wait again; `force` tries all the same.
 * @returns {Promise<{ binary?: string, reason?: string }>} one of the two
 */
export async function downloadElectron({ force = false, log }) {
  const { version } = JSON.parse(readFileSync(modulePath('electron/package.json'), 'utf8'))
  const known = readFailure()
  if (!force && known?.version === version && Date.now() - known.at < retryAfterMs) return { reason: known.reason }
  const reason = await attempt(version, log)
  const binary = electronBinary()
  if (binary) return { binary }
  writeFileSync(
    failureStamp,
    JSON.stringify({ version, at: Date.now(), reason: reason ?? 'unpacked files are missing' }),
  )
  return { reason: reason ?? 'unpacked files are missing' }
}

/** Resolves with the reason when it failed. */
function attempt(version, log) {
  return new Promise((resolve) => {
    const child = fork(path.join(import.meta.dirname, 'electron-download.mjs'), {
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    tie(child)
    let errors = ''
    let shown = -1
    const give = (reason) => {
      clearTimeout(timer)
      child.kill('SIGKILL')
      resolve(reason)
    }
    let timer = setTimeout(() => give('the release host does not answer'), firstByteMs)
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text))
    child.on('message', (/** @type {number} */ share) => {
      clearTimeout(timer)
      timer = setTimeout(() => give('the download stopped'), stalledMs)
      const tenth = Math.floor(share * 10)
      if (tenth === shown) return
      if (shown < 0 && share < 1) log(`Downloading Electron ${version} (once) ...`)
      else if (share < 1) log(`  ${tenth * 10} %`)
      shown = tenth
    })
    child.on('error', (error) => give(error.message))
    child.on('exit', (code) => give(code === 0 ? undefined : firstReason(errors)))
  })
}

/** Out of a stack trace: the innermost cause, which names the host. */
function firstReason(errors) {
  const causes = [...errors.matchAll(/(?:^|\[cause\]: )\w*Error: (.+?)(?: \{)?$/gm)].map((match) => match[1])
  return causes.at(-1) ?? 'the download failed'
}

function readFailure() {
  if (!existsSync(failureStamp)) return undefined
  try {
    return JSON.parse(readFileSync(failureStamp, 'utf8'))
  } catch {
    return undefined
  }
}
