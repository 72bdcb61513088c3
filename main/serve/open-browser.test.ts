import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { openBrowser } from './open-browser.ts'

const url = 'http://127.0.0.1:8715/?token=secret'
let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'frameloom-open-'))
  file = join(folder, 'open.html')
  vi.stubEnv('DISPLAY', ':0')
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

// The program that opens a browser is Linux's here; what is handed to it is the same everywhere.
test.runIf(process.platform === 'linux')('the browser gets a file, not the link', async () => {
  writeFileSync(
    join(folder, 'xdg-open'),
    `#!/bin/sh\necho "$@" > '${folder}/args.part'; mv '${folder}/args.part' '${folder}/args'\n`,
  )
  chmodSync(join(folder, 'xdg-open'), 0o755)
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`)
  expect(await openBrowser(url, file)).toBe(true)
  await vi.waitUntil(() => existsSync(join(folder, 'args')), { timeout: 300_000 })
  expect(readFileSync(join(folder, 'args'), 'utf8')).toBe(`file://${file}\n`)
  expect(readFileSync(file, 'utf8')).toContain(`url=${url}`)
  expect(statSync(file).mode & 0o077).toBe(0)
})

test.runIf(process.platform === 'linux')(
  'where there is no browser to start, the link is written nowhere',
  async () => {
    vi.stubEnv('PATH', folder)
    expect(await openBrowser(url, file)).toBe(false)
    expect(existsSync(file)).toBe(false)
  },
)
