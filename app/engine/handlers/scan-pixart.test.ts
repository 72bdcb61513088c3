import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '#app/checkpoints/testing.ts'
import { scanOwn } from './test-scan.ts'

const checkpoints = join(import.meta.dirname, '../../../e2e/goldens/pipelines/checkpoints')

/** A copy of a PixArt folder, changed by `change`, and what the scan says of it. */
async function scanned(change: (folder: string) => void) {
  const folder = join(await temporaryFolder(), 'pixart')
  cpSync(join(checkpoints, 'pixart-sigma-32'), folder, { recursive: true })
  change(folder)
  const found = await scanOwn(folder)
  expect(found).toHaveLength(1)
  return found[0]!
}

const edit = (file: string, change: object): void => {
  const config = JSON.parse(readFileSync(file, 'utf8').replaceAll('-Infinity', '-1e300')) as object
  writeFileSync(file, JSON.stringify({ ...config, ...change }))
}

test('a PixArt folder is usable, with what suits it', async () => {
  expect(await scanned(() => {})).toMatchObject({
    kind: 'pixart',
    className: 'PixArtSigmaPipeline',
    nativeSize: 256,
    sizeMultiple: 16,
    precision: 'float32',
    suggested: { numInferenceSteps: 20, guidanceScale: 4.5 },
  })
  const plain = await scanned((folder) => {
    edit(join(folder, 'scheduler/scheduler_config.json'), { _class_name: 'LCMScheduler' })
    edit(join(folder, 'model_index.json'), { _class_name: 'PixArtAlphaPipeline' })
  })
  expect(plain).toMatchObject({
    className: 'PixArtAlphaPipeline',
    suggested: { numInferenceSteps: 4, guidanceScale: 1 },
  })
  expect(plain.problem).toBeUndefined()
})

test('as published, where the class is Transformer2DModel with norm_type ada_norm_single', async () => {
  const older = {
    _class_name: 'Transformer2DModel',
    double_self_attention: false,
    num_vector_embeds: null,
    only_cross_attention: false,
    use_linear_projection: false,
  }
  const published = (norm_type: string) =>
    scanned((folder) => edit(join(folder, 'transformer/config.json'), { ...older, norm_type }))
  const found = await published('ada_norm_single')
  expect(found).toMatchObject({ kind: 'pixart', nativeSize: 256 })
  expect(found.problem).toBeUndefined()
  expect((await published('layer_norm')).problem?.message).toMatch(
    /holds Transformer2DModel, not PixArtTransformer2DModel/,
  )
})

test('what is missing is told', async () => {
  const without = (part: string) => scanned((folder) => rmSync(join(folder, part), { recursive: true }))
  expect((await without('text_encoder')).problem?.message).toMatch(/text_encoder/)
  expect((await without('tokenizer/tokenizer.json')).problem?.message).toMatch(
    /no tokenizer\/spiece.model and no tokenizer\/tokenizer.json/,
  )
})
