import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { toProblem } from '#app/contract/errors.ts'
import { SessionCache } from '../session-cache.ts'
import { readJson, type Verdict } from './case.ts'
import { hostileSchema, runHostileCase } from './hostile-cases.ts'
import { mediaSchema, runBadMediaCase, runMediaCase } from './media-cases.ts'
import { runModelCase } from './model-cases.ts'
import { runPipelineCase } from './pipeline-cases.ts'
import { runSchedulerCase } from './scheduler-cases.ts'
import { runTokenizerCases } from './tokenizer-cases.ts'

/**
 * Runs reference cases and prints a line for each: `PASS|FAIL|SKIP id figure`, then the counts. Exits 1 if any failed, 2 if there is
 * none. DIR holds the layout of the reference cases or a part of it.
 * Usage: parity DIR [--filter TEXT]
 */

type Case = { readonly id: string; readonly run: () => Promise<Verdict> }

async function findCases(root: string, sessions: SessionCache): Promise<Case[]> {
  const cases: Case[] = []
  const visit = async (folder: string): Promise<void> => {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
    const names = entries.map((entry) => entry.name)
    const id = (name: string): string => relative(root, join(folder, name)) || basename(folder)
    if (names.includes('case.json')) cases.push({ id: id(''), run: () => runFolder(folder, sessions) })
    else if (names.includes('expected.json')) cases.push(...(await listedCases(folder, names, id)))
    for (const entry of entries) if (entry.isDirectory()) await visit(join(folder, entry.name))
  }
  await visit(root)
  return cases
}

/** The kind of a case is told by the folder that it lies in. */
function runFolder(folder: string, sessions: SessionCache): Promise<Verdict> {
  const kind = basename(dirname(folder))
  if (kind === 'schedulers' || existsSync(join(folder, 'tensors.safetensors'))) return runSchedulerCase(folder)
  if (kind === 'pipelines') return runPipelineCase(folder, sessions)
  return runModelCase(folder, sessions)
}

async function listedCases(folder: string, names: readonly string[], id: (name: string) => string): Promise<Case[]> {
  if (names.includes('clip') || names.includes('t5'))
    return (['clip', 't5'] as const)
      .filter((kind) => names.includes(kind))
      .map((kind) => ({ id: id(kind), run: () => runTokenizerCases(folder, kind) }))
  const expected = await readJson(join(folder, 'expected.json'))
  const media = mediaSchema.safeParse(expected)
  if (media.success)
    return [
      ...media.data.map((spec) => ({ id: id(spec.file), run: () => runMediaCase(folder, spec) })),
      ...names
        .filter((name) => name.startsWith('bad-'))
        .map((name) => ({ id: id(name), run: () => runBadMediaCase(folder, name) })),
    ]
  return hostileSchema.parse(expected).map(({ file }) => ({ id: id(file), run: () => runHostileCase(folder, file) }))
}

const [directory, ...rest] = process.argv.slice(2)
if (!directory || !existsSync(directory)) {
  console.error(directory ? `There is no folder ${directory}.` : 'usage: parity DIR [--filter TEXT]')
  process.exit(2)
}
const filter = rest[0] === '--filter' ? (rest[1] ?? '') : ''
const counts = { PASS: 0, FAIL: 0, SKIP: 0 }
const cases = (await findCases(resolve(directory), new SessionCache())).filter(({ id }) => id.includes(filter))
for (const { id, run } of cases) {
  const { state, figure } = await run().catch((error: unknown): Verdict => ({
    state: 'FAIL',
    figure: toProblem(error).message,
  }))
  counts[state]++
  console.log(`${state} ${id} ${figure}`)
}
console.log(`${counts.PASS} passed, ${counts.FAIL} failed, ${counts.SKIP} skipped`)
if (cases.length === 0) console.error(`No case was found in ${directory}.`)
process.exit(cases.length === 0 ? 2 : counts.FAIL > 0 ? 1 : 0)
