#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// `frameloom`: in the repository, builds first what is stale; in an installed copy, the build is there.
const setup = new URL('../dev/run.mjs', import.meta.url)
if (existsSync(fileURLToPath(setup))) {
  process.env.INIT_CWD = process.cwd()
  // As if run.mjs had been started, since that may start itself again in another Node.
  process.argv.splice(1, 1, fileURLToPath(setup), 'cli')
  await import(setup.href)
} else {
  await import(new URL('../../dist/node/cli.js', import.meta.url).href)
}
