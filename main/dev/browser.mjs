import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { capture, modulePath } from './process.mjs'

const places = {
  linux: ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome', '/usr/bin/google-chrome-stable'],
  darwin: ['Google Chrome', 'Chromium'].map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`),
  win32: ['ProgramFiles', 'ProgramFiles(x86)', 'LOCALAPPDATA'].map((name) =>
    path.join(process.env[name] ?? 'C:\\', 'Google\\Chrome\\Application\\chrome.exe'),
  ),
}

/** A Chromium for the end-to-end tests: CHROMIUM_PATH, the system's, or Playwright's own. */
export function findChromium() {
  const named = process.env.CHROMIUM_PATH
  if (named) return existsSync(named) ? named : undefined
  const { chromium } = createRequire(modulePath('@playwright/test/package.json'))('playwright-core')
  return [...(places[process.platform] ?? []), chromium.executablePath()].find((file) => file && existsSync(file))
}

/** ffmpeg and ffprobe on PATH: the command line and the media tests use them. */
export function hasFfmpeg() {
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const folders = (process.env.PATH ?? '').split(path.delimiter)
  return ['ffmpeg', 'ffprobe'].every((name) => folders.some((folder) => existsSync(path.join(folder, name + suffix))))
}

/**
 * Installs what the tests need from Debian's packages where it may (root and apt).
 * @returns {Promise<{ chromium?: string, problem?: string }>} `problem` says what to install by hand
 */
export async function ensureTools({ browser, log }) {
  const missing = [...(browser && !findChromium() ? ['chromium'] : []), ...(hasFfmpeg() ? [] : ['ffmpeg'])]
  const mayInstall = process.getuid?.() === 0 && existsSync('/usr/bin/apt-get') && !process.env.CHROMIUM_PATH
  if (missing.length > 0 && mayInstall) {
    log(`Installing ${missing.join(' and ')} (apt-get) ...`)
    const env = { DEBIAN_FRONTEND: 'noninteractive' }
    await capture('apt-get', ['update', '-q'], { env })
    const { code, output } = await capture('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...missing], {
      env,
    })
    if (code !== 0) log(output.trimEnd().split('\n').slice(-8).join('\n'))
  }
  if (!hasFfmpeg())
    log(
      '! ffmpeg and ffprobe are not on PATH: tests that need them are skipped. Install the ffmpeg package to run them.',
    )
  if (!browser) return {}
  const chromium = findChromium()
  if (chromium) return { chromium }
  const { CHROMIUM_PATH } = process.env
  return {
    problem: CHROMIUM_PATH
      ? `CHROMIUM_PATH is ${CHROMIUM_PATH}, and there is no such file.`
      : 'no Chromium found. Install Chromium or Google Chrome (Debian: apt-get install chromium; anywhere: npx playwright install ' +
        'chromium), or set CHROMIUM_PATH.',
  }
}
