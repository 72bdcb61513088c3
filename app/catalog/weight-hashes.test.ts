import { createHash } from 'node:crypto'
import { appendFileSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { LocatedModel } from '#app/contract/engine.ts'
import { modelReferenceSchema } from '#app/contract/recipe.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { createWeightHashes } from './weight-hashes.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'frameloom-hash-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const located = (folder: string, kind: LocatedModel['kind']): LocatedModel =>
  ({ id: 'one', name: 'One', kind, className: 'StableDiffusionPipeline', folder }) as LocatedModel
const never = new AbortController().signal
const sha = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

test('names each weight file of a pipeline by its path inside the folder', async () => {
  const folder = join(bundledModelsDir(), 'moving-shapes')
  const reference = await createWeightHashes().referenceOf(located(folder, 'stable-diffusion'), never)
  const files = [
    'unet/diffusion_pytorch_model.safetensors',
    'vae/diffusion_pytorch_model.safetensors',
    'text_encoder/model.safetensors',
  ]
  expect(modelReferenceSchema.parse(reference)).toEqual({
    id: 'one',
    name: 'One',
    sha256: Object.fromEntries(files.map((file) => [file, sha(join(folder, file))])),
  })
})

test('a file is hashed again only when it has changed; another process knows the hashes', async () => {
  const folder = join(root, 'motion')
  const cache = join(root, 'cache', 'hashes.json')
  cpSync(join(bundledModelsDir(), 'moving-shapes-motion'), folder, { recursive: true })
  const weights = join(folder, 'diffusion_pytorch_model.safetensors')
  const model = located(folder, 'motion-adapter')
  const first = await createWeightHashes(cache).referenceOf(model, never)
  expect(Object.values(first.sha256)).toEqual([sha(weights)])

  // Only a cache can know this.
  writeFileSync(cache, readFileSync(cache, 'utf8').replace(sha(weights), 'f'.repeat(64)))
  expect(Object.values((await createWeightHashes(cache).referenceOf(model, never)).sha256)).toEqual(['f'.repeat(64)])

  appendFileSync(weights, 'x')
  expect(Object.values((await createWeightHashes(cache).referenceOf(model, never)).sha256)).toEqual([sha(weights)])

  writeFileSync(cache, 'broken')
  expect(Object.values((await createWeightHashes(cache).referenceOf(model, never)).sha256)).toEqual([sha(weights)])
  expect(readdirSync(join(root, 'cache'))).toEqual(['hashes.json'])
})

test('a cancel ends it', async () => {
  const model = located(join(bundledModelsDir(), 'moving-shapes-motion'), 'motion-adapter')
  await expect(createWeightHashes().referenceOf(model, AbortSignal.abort(new Error('enough')))).rejects.toThrow(
    'enough',
  )
})
