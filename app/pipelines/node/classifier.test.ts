import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { resourcesDir } from '#main/paths.ts'
import { openClassifier } from './classifier.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-classifier-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a config as Python writes it is read: no architectures, labels that are numbers, NaN', async () => {
  await cp(join(resourcesDir(), 'demo-models', 'moving-shapes-timesformer'), folder, { recursive: true })
  const file = join(folder, 'config.json')
  const config = JSON.parse(await readFile(file, 'utf8')) as { architectures?: string[]; id2label: object }
  delete config.architectures
  const labels = Object.keys(config.id2label).map((key) => [key, Number(key) * 10])
  const text = JSON.stringify({ ...config, id2label: Object.fromEntries(labels) as object })
  await writeFile(file, text.replace(/^\{/, '{"best_metric": NaN, "worst_metric": -Infinity, '))
  const { parts } = await openClassifier(new SessionCache(), folder, 'fine-tuned')
  expect(parts.labels.slice(0, 3)).toEqual(['0', '10', '20'])
  expect(parts.notes).toEqual([])
})
