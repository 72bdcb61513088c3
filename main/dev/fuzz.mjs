import { onPinnedNode } from './node.mjs'
import { captureNode, modulePath } from './process.mjs'
import { checkNode, ensureInstalled } from './setup.mjs'

// `npm run fuzz`: the tests of mutated weight files, long. FUZZ_RUNS is how many files each test makes, FUZZ_SEED
// repeats a run.
checkNode()
await ensureInstalled(console.log)
await onPinnedNode(console.log)
const runs = process.env.FUZZ_RUNS ?? '10000'
const { code } = await captureNode(
  [modulePath('vitest/vitest.mjs'), 'run', 'app/checkpoints/fuzz-', ...process.argv.slice(2)],
  {
    env: { FUZZ_RUNS: runs },
    live: (text) => process.stdout.write(text),
  },
)
process.exitCode = code
