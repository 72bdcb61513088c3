import { defineConfig } from 'vitest/config'

export default defineConfig({
  cacheDir: 'node_modules/.vite/vitest',
  test: {
    environment: 'node',
    include: ['{app,main,renderer}/**/*.test.{ts,tsx}'],
    pool: 'forks',
    testTimeout: 30_000,
    hookTimeout: 30_000,
    // A test that was meant to run and did not is a failure.
    passWithNoTests: false,
    allowOnly: false,
  },
})
