import { onPinnedNode } from './node.mjs'
import { captureNode, fail, modulePath } from './process.mjs'
import { checkNode, ensureInstalled } from './setup.mjs'

// `npm run fuzz`, `npm run faults`: tests of the suite, long. What is set in the environment holds instead: FUZZ_RUNS
// is how many mutated weight files each test makes, FAULT_KILLS how often engine or main is killed at any moment, and
// above 0 the other sweeps are long too; FUZZ_SEED and FAULT_SEED repeat a run.
const kinds = {
  fuzz: { files: 'app/checkpoints/fuzz-', env: { FUZZ_RUNS: '10000' } },
  faults: { files: 'main/studio/faults/', env: { FAULT_KILLS: '100' } },
}
const [name = '', ...filters] = process.argv.slice(2)
const kind = kinds[name] ?? fail(`there are no long tests "${name}". There are: ${Object.keys(kinds).join(', ')}.`)

checkNode()
await ensureInstalled(console.log)
await onPinnedNode(console.log)
// However long it takes: it is run by hand.
const args = ['run', kind.files, '--testTimeout', '0', ...filters]
const { code } = await captureNode([modulePath('vitest/vitest.mjs'), ...args], {
  env: { ...kind.env, ...process.env },
  live: (text) => process.stdout.write(text),
})
process.exitCode = code
