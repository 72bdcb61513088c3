import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { describe } from './describe.ts'

let root: string
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'frameloom-unclip-'))
})
afterEach(() => rmSync(root, { recursive: true }))

const checkpoints = join(import.meta.dirname, '../../../e2e/goldens/pipelines/checkpoints')
/** What a folder is told to be, without some file of it, or with other values in one. */
function told(name: string, change: { without?: string; file?: string; with?: object } = {}) {
  const folder = join(root, name)
  cpSync(join(checkpoints, name), folder, { recursive: true })
  if (change.without) rmSync(join(folder, change.without), { recursive: true })
  if (change.file) {
    const file = join(folder, change.file)
    writeFileSync(file, JSON.stringify({ ...(JSON.parse(readFileSync(file, 'utf8')) as object), ...change.with }))
  }
  return describe({ folder, marker: 'model_index.json' })
}

test.each([
  ['kandinsky-prior-2', { kind: 'prior', className: 'KandinskyV22PriorPipeline', embeddingDim: 20 }],
  ['kandinsky-decoder-ddpm', { kind: 'image-decoder', embeddingDim: 20, nativeSize: 32, sizeMultiple: 4 }],
  ['karlo', { kind: 'unclip', className: 'UnCLIPPipeline', nativeSize: 32 }],
])('%s can be used', async (name, entry) => {
  const found = await told(name)
  expect(found).toMatchObject({ ...entry, precision: 'float32', needsMotionAdapter: false })
  expect(found!.bytes).toBeGreaterThan(1e5)
  expect(found).not.toHaveProperty('problem')
})

test('the first prior of Kandinsky 2 can be used too', async () => {
  const found = await told('kandinsky-prior-2', { file: 'model_index.json', with: { _class_name: 'KandinskyPriorPipeline' } }) // prettier-ignore
  expect(found).toMatchObject({ kind: 'prior', className: 'KandinskyPriorPipeline' })
  expect(found).not.toHaveProperty('problem')
})

test.each([
  ['kandinsky-prior-2', { without: 'image_encoder' }, /image_encoder/],
  ['kandinsky-prior-2', { without: 'image_processor' }, /image_processor/],
  ['kandinsky-prior-2', { file: 'image_encoder/config.json', with: { projection_dim: 24 } }, /do not belong together/],
  ['kandinsky-decoder-ddpm', { without: 'movq' }, /movq/],
  [
    'kandinsky-decoder-ddpm',
    { file: 'unet/config.json', with: { addition_embed_type: 'image_hint' } },
    /addition_embed_type/,
  ],
  ['karlo', { without: 'super_res_last' }, /super_res_last/],
  ['karlo', { without: 'decoder_scheduler' }, /decoder_scheduler/],
  ['karlo', { file: 'super_res_scheduler/scheduler_config.json', with: { variance_type: 'fixed' } }, /variance_type/],
])('%s with %o says why it cannot be used', async (name, change, words) => {
  const found = await told(name, change)
  expect(found!.problem?.message).toMatch(words)
  expect(found!.kind).not.toBe('other')
})
