import { existsSync } from 'node:fs'
import { defineConfig } from '@playwright/test'

// `npm test` sets CHROMIUM_PATH; without it and without Debian's package, Playwright's own browser is used.
const executablePath = process.env['CHROMIUM_PATH'] ?? ['/usr/bin/chromium'].find((file) => existsSync(file))

export default defineConfig({
  testDir: 'e2e',
  outputDir: 'test-results/e2e',
  reporter: [['list'], ['json', { outputFile: 'test-results/e2e.json' }]],
  // Each test has a host, an engine and a library of its own, and waits for most of its time.
  fullyParallel: true,
  workers: 2,
  forbidOnly: true,
  retries: 0,
  // Not how long a test takes, but when it hangs: also on a machine that does much beside it.
  timeout: 1_200_000,
  expect: { timeout: 300_000 },
  use: {
    // `--trace on` where one is wanted: a trace of all tests costs half of their time.
    screenshot: 'only-on-failure',
    viewport: { width: 1440, height: 900 },
    launchOptions: {
      ...(executablePath ? { executablePath } : {}),
      // A graphics card in software costs more than drawing without. Chromium's sandbox refuses to run as root, as in a
      // container.
      args: ['--disable-gpu', ...(process.getuid?.() === 0 ? ['--no-sandbox'] : [])],
    },
  },
  projects: [
    { name: 'chromium', testIgnore: '**/electron*.spec.ts' },
    { name: 'electron', testMatch: '**/electron*.spec.ts' },
  ],
})
