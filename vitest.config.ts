import { defineConfig } from 'vitest/config'

export default defineConfig({
  cacheDir: 'node_modules/.vite/vitest',
  test: {
    environment: 'node',
    include: ['{app,main,renderer}/**/*.test.{ts,tsx}'],
    pool: 'forks',
    // All cores: most files wait for processes that they started, or compute on one core.
    maxWorkers: '100%',
    globalSetup: 'main/dev/build-for-tests.mjs',
    // Not how long a test takes, but when it hangs: also on a machine that does much beside it.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A test that was meant to run and did not is a failure.
    passWithNoTests: false,
    allowOnly: false,
  },
})
