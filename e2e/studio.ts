import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test as base, type Page } from '@playwright/test'

const root = join(import.meta.dirname, '..')

/** A running serve host with a library of its own. */
export type Host = { readonly url: string; readonly process: ChildProcess; readonly stop: () => Promise<void> }

/**
 * Starts the built serve host as `npm start` does, on a free port. `fault` is one of the engine's, on purpose
 * (app/engine/fault.ts).
 */
export async function startHost(dataDir: string, fault = ''): Promise<Host> {
  const process = spawn(
    globalThis.process.execPath,
    [join(root, 'dist/node/serve.js'), '--no-open', '--port', '0', '--data-dir', dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...globalThis.process.env, FRAMELOOM_FAULT: fault },
    },
  )
  const stop = async (): Promise<void> => {
    if (process.exitCode !== null || process.signalCode !== null) return
    process.kill('SIGTERM')
    await once(process, 'exit')
  }
  for await (const line of createInterface({ input: process.stdout })) {
    const url = /http:\S+/.exec(line)?.[0]
    if (url) return { url, process, stop }
  }
  throw new Error('the serve host ended without printing its address')
}

/** Opens the studio, ready to work with the bundled models. */
export async function openStudio(page: Page, host: Host): Promise<void> {
  await page.goto(host.url)
  await page.getByRole('button', { name: /^Engine: Ready/ }).waitFor()
  // The models are looked for after that, and the form is empty until then.
  await page.getByRole('combobox', { name: 'Model', exact: true }).filter({ hasText: 'Moving Shapes' }).waitFor()
}

/** A pause after each step: long enough for a page to act in mid-run, and no work. */
export const slowSteps = 'sleep:step::500'

type Studio = {
  /** What goes wrong in the engine, or takes its time. */
  fault: string
  /** A library of the test's own. */
  dataDir: string
  /** Runs on it. */
  host: Host
  /** Its page, open and ready. */
  studio: Page
}
export const test = base.extend<Studio>({
  fault: ['', { option: true }],
  dataDir: async ({}, use) => {
    const folder = await mkdtemp(join(tmpdir(), 'frameloom-e2e-'))
    await use(folder)
    await rm(folder, { recursive: true, force: true })
  },
  host: async ({ dataDir, fault }, use) => {
    const host = await startHost(dataDir, fault)
    await use(host)
    await host.stop()
  },
  studio: async ({ page, host }, use) => {
    const problems: string[] = []
    page.on('pageerror', (error) => problems.push(error.message))
    await openStudio(page, host)
    await use(page)
    base.expect(problems, 'errors thrown in the page').toEqual([])
  },
})
export { expect } from '@playwright/test'
