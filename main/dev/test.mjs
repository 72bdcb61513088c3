import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ensureTools } from './browser.mjs'
import { electronBinary } from './electron.mjs'
import { checkLayers } from './layers.mjs'
import { onPinnedNode } from './node.mjs'
import { captureNode, modulePath, root } from './process.mjs'
import { checkNode, ensureBuilt, ensureInstalled } from './setup.mjs'

// `npm test`: everything. `--check`, `--unit`, `--e2e` select a part; further arguments go to vitest or Playwright as
// filters.
const flags = ['--check', '--unit', '--e2e']
const chosen = flags.filter((flag) => process.argv.includes(flag))
const wants = (flag) => chosen.length === 0 || chosen.includes(flag)
const filters = process.argv.slice(2).filter((arg) => !flags.includes(arg))
const results = path.join(root, 'test-results')
const env = process.stdout.isTTY ? { FORCE_COLOR: '1' } : { NO_COLOR: '1' }
const total = { passed: 0, failed: 0, skipped: 0 }
const log = (line) => console.log(line)
const node = (module, ...args) => captureNode([modulePath(module), ...args], { env })
const live = (module, ...args) =>
  captureNode([modulePath(module), ...args], { env, live: (text) => process.stdout.write(text) })

// The longest first, so that it is not the one that all others wait for at the end.
const checks = [
  ['lint', () => node('eslint/bin/eslint.js', '.', '--max-warnings', '0')],
  ['format', () => node('prettier/bin/prettier.cjs', '--check', '.', '--log-level', 'warn')],
  ['types of the core', () => node('typescript/bin/tsc', '-p', 'tsconfig.core.json')],
  ['types for Node', () => node('typescript/bin/tsc', '-p', 'tsconfig.node.json')],
  ['types of the page', () => node('typescript/bin/tsc', '-p', 'tsconfig.web.json')],
  ['types of the scripts', () => node('typescript/bin/tsc', '-p', 'tsconfig.dev.json')],
  ['layers', checkLayers],
]

const started = performance.now()
mkdirSync(results, { recursive: true })
rmSync(path.join(results, 'summary.json'), { force: true })
checkNode()
await ensureInstalled(log)
await onPinnedNode(log)
const wantsTests = wants('--unit') || wants('--e2e')
// A download for the most part: it goes on while the checks compute.
const tools = wantsTests ? ensureTools({ browser: wants('--e2e'), log }) : undefined
if (wants('--check')) await runAll(checks)
if (wantsTests) await runTests(await tools)

writeFileSync(path.join(results, 'summary.json'), JSON.stringify(total))
log(`\n${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped (${seconds(started)})`)
process.exitCode = total.failed > 0 || total.passed === 0 ? 1 : 0

async function runTests(tools) {
  // Unit tests start real processes, so they too need the bundles.
  await step('build', async () => ({ code: (await ensureBuilt(() => {})) ? 0 : 1, output: '' }))
  if (wants('--unit')) {
    log('\nUnit tests')
    const file = path.join(results, 'unit.json')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
    await counted('unit tests', file, readUnit, () => live('vitest/vitest.mjs', 'run', ...reporters, ...filters))
  }
  if (!wants('--e2e')) return
  log('\nEnd-to-end tests')
  if (tools.problem) return void (await step('a browser', async () => ({ code: 1, output: tools.problem })))
  if (!electronBinary())
    log('! Electron tests are SKIPPED: its binary is not here (npm start downloads it where it can).')
  process.env.CHROMIUM_PATH = tools.chromium
  await counted('end-to-end tests', path.join(results, 'e2e.json'), readE2e, () =>
    live('@playwright/test/cli.js', 'test', ...filters),
  )
}

/** Runs the checks side by side, as many as there are processors, and shows each as it ends. */
async function runAll(steps) {
  const waiting = [...steps]
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await step(...next)
  }
  await Promise.all(Array.from({ length: Math.min(os.availableParallelism(), 4) }, worker))
}

async function step(name, run) {
  const begun = performance.now()
  const { code, output } = await run()
  total[code === 0 ? 'passed' : 'failed'] += 1
  log(`${code === 0 ? '✓' : '✗'} ${name} (${seconds(begun)})`)
  if (code !== 0 && output.trim()) log(indent(output.trimEnd()))
}

/**
 * A test runner: its tests are counted from its report. A run that failed, or ran nothing, counts as at least one
 * failure.
 */
async function counted(name, file, read, run) {
  rmSync(file, { force: true })
  const begun = performance.now()
  const { code } = await run()
  const counts = existsSync(file) ? read(JSON.parse(readFileSync(file, 'utf8'))) : { passed: 0, failed: 0, skipped: 0 }
  if ((code !== 0 || counts.passed === 0) && counts.failed === 0) counts.failed = 1
  for (const key of Object.keys(total)) total[key] += counts[key]
  const { passed, failed, skipped } = counts
  log(`${failed ? '✗' : '✓'} ${name}: ${passed} passed, ${failed} failed, ${skipped} skipped (${seconds(begun)})`)
}

function readUnit({ numPassedTests, numFailedTests, numPendingTests, numTodoTests }) {
  return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests }
}

function readE2e({ stats, errors }) {
  return { passed: stats.expected, failed: stats.unexpected + stats.flaky + errors.length, skipped: stats.skipped }
}

function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`
}

function indent(text) {
  return text.replace(/^(?=.)/gm, '    ')
}
