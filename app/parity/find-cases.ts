import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join, relative } from 'node:path'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { readJson, type Verdict } from './case.ts'
import { hostileSchema, runHostileCase } from './hostile-cases.ts'
import { mediaSchema, runBadMediaCase, runMediaCase } from './media-cases.ts'
import { runModelCase } from './model-cases.ts'
import { verdictWithout } from './on-provider.ts'
import { runPipelineCase } from './pipeline-cases.ts'
import { runSchedulerCase } from './scheduler-cases.ts'
import { runTokenizerCases } from './tokenizer-cases.ts'

export type Case = { readonly id: string; readonly run: () => Promise<Verdict> }

/** Every case below a folder that has the layout of the reference cases, or a part of it. */
export async function findCases(root: string, sessions: SessionCache): Promise<Case[]> {
  const cases: Case[] = []
  let checked: Promise<Verdict | undefined> | undefined
  const without = (): Promise<Verdict | undefined> => (checked ??= verdictWithout(sessions.compute))
  const visit = async (folder: string): Promise<void> => {
    const entries = (await readdir(folder, { withFileTypes: true })).sort((a, b) => (a.name < b.name ? -1 : 1))
    const names = entries.map((entry) => entry.name)
    const id = (name: string): string => relative(root, join(folder, name)) || basename(folder)
    if (names.includes('case.json')) cases.push({ id: id(''), run: () => runFolder(folder, sessions, without) })
    else if (names.includes('expected.json')) cases.push(...(await listedCases(folder, names, id)))
    for (const entry of entries) if (entry.isDirectory()) await visit(join(folder, entry.name))
  }
  await visit(root)
  return cases
}

/** The kind of a case is told by the folder that it lies in. */
async function runFolder(
  folder: string,
  sessions: SessionCache,
  without: () => Promise<Verdict | undefined>,
): Promise<Verdict> {
  const kind = basename(dirname(folder))
  if (kind === 'schedulers' || existsSync(join(folder, 'tensors.safetensors'))) return runSchedulerCase(folder)
  const verdict = await without()
  if (verdict) return verdict
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
