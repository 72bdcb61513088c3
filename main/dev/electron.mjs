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

/** Six majors come in a year; 40 came then. The newest three are kept up. */
const schedule = { major: 40, at: Date.UTC(2026, 0, 13), everyMs: (365.25 / 6) * 24 * 3600 * 1000, keptUp: 3 }

/**
 * What is wrong with an Electron that is to be shipped, in words: it is older than package.json asks for, or gets no
 * fixes of Chromium's holes any more.
 * @param {string} version
 * @param {string} wanted as in package.json: `^45.4.1`
 * @param {number} today
 */
export function electronProblem(version, wanted, today) {
  const [least, found] = [wanted.replace(/^\^/, ''), version].map((text) => text.split('.').map(Number))
  const at = found.findIndex((part, i) => part !== least[i])
  if (at >= 0 && found[at] < least[at]) return `Electron ${version} is older than package.json asks for (${wanted})`
  const ends = schedule.at + (found[0] + schedule.keptUp - schedule.major) * schedule.everyMs
  if (today < ends) return undefined
  return `Electron ${found[0]} gets no fixes since about ${new Date(ends).toISOString().slice(0, 7)}: take a newer one`
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
