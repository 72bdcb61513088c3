import { runServe } from './run-serve.ts'

/** A host as `frameloom serve` starts it, for tests that kill it or take its disk away. */
const [dataDir, pageDir, enginePath] = process.argv.slice(2)
await runServe({
  port: 0,
  open: false,
  dataDir: dataDir!,
  pageDir: pageDir!,
  enginePath: enginePath!,
  modelRoots: () => [],
})
