import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Precision } from '#app/contract/compute.ts'
import { openDamagedModels, weightFiles } from './test-damaged.ts'

const { unet, motion, vae, textEncoder, classifier } = weightFiles
let models: Awaited<ReturnType<typeof openDamagedModels>>
beforeAll(async () => {
  models = await openDamagedModels()
})
afterAll(() => models.remove())

const precisions = ['float32', 'int8'] as const

test.each(precisions)('whole models make a clip and labels in %s, and nothing is noted', async (precision) => {
  expect((await models.make(precision)).result).toMatchObject({ kind: 'picture', notes: [] })
  expect(readdirSync(models.out)).toEqual(['clip.webp'])
  rmSync(join(models.out, 'clip.webp'))
  expect((await models.look(precision)).result).toMatchObject({ kind: 'labels', classification: { notes: [] } })
})

test.each([
  ['CLIPTextModel', textEncoder, 'text_model.encoder.layers.0.mlp.fc1'],
  ['UNetMotionModel', unet, 'down_blocks.0.resnets.0.conv1'],
  ['UNetMotionModel', motion, 'down_blocks.0.motion_modules.0.proj_in'],
  ['AutoencoderKL', vae, 'decoder.up_blocks.0.resnets.0.conv1'],
  ['TimesformerForVideoClassification', classifier, 'timesformer.encoder.layer.0.attention.attention.qkv'],
])(
  '%s: NaN, infinity and 3e38 in %s are refused with file and key, and nothing is saved',
  async (className, name, layer) => {
    for (const precision of precisions)
      for (const [key, number] of [
        [`${layer}.weight`, NaN],
        [`${layer}.weight`, -Infinity],
        [`${layer}.bias`, NaN],
        [`${layer}.bias`, 3e38],
      ] as const) {
        const { problem } = await models.damaged(name, key, number, () =>
          name === classifier ? models.look(precision) : models.make(precision),
        )
        expect(problem, `${key} ${number} ${precision}`).toMatchObject({ code: 'not-finite', field: key })
        expect(problem!.file).toMatch(new RegExp(`${name}$`))
        const where = `${className} (the processor in ${name === vae ? 'float32' : precision}): the tensor ${key} of `
        expect(problem!.message).toContain(where)
        expect(readdirSync(models.out)).toEqual([])
      }
  },
)

test('a table of embeddings that is NaN is not rounded to numbers in int8', async () => {
  const key = 'text_model.embeddings.token_embedding.weight'
  const { problem } = await models.changed(
    textEncoder,
    key,
    (values) => values.fill(NaN),
    () => models.make('int8'),
  )
  expect(problem).toMatchObject({ code: 'not-finite', field: key })
})

test('a model that goes too far with sound weights is named with its step, and float32 is offered where it may help', async () => {
  const grow = (precision: Precision) =>
    models.changed(
      unet,
      'conv_out.weight',
      (values) => values.fill(1e19),
      () => models.make(precision),
    )
  const inFloat32 = (await grow('float32')).problem!
  expect(inFloat32.message).toMatch(/^Step 1 of 2: UNetMotionModel gave NaN, infinity .* as sample, though its weights/)
  expect(inFloat32).not.toHaveProperty('field')
  expect((await grow('int8')).problem).toMatchObject({ code: 'not-finite', field: 'compute.precision' })
})

test('latents that the guidance drives out of bounds are not laid to a model', async () => {
  const [inFloat32, inInt8] = [
    (await models.make('float32', { guidanceScale: 1e30 })).problem!,
    (await models.make('int8', { guidanceScale: 1e30 })).problem!,
  ]
  expect(inFloat32.message).toMatch(
    /^Step 1 of 2: the latents hold NaN, .* though UNetMotionModel gave none \(the processor in float32\)\. Lower/,
  )
  expect(inFloat32.code).toBe('not-finite')
  expect(inInt8.message).toMatch(/\(the processor in int8\)\. Choose the precision float32\. Lower/)
  expect(inInt8.field).toBe('compute.precision')
  expect(readdirSync(models.out)).toEqual([])
})

test('frames of one colour are noted', async () => {
  const { result, events } = await models.changed(
    vae,
    'decoder.conv_out.weight',
    (values) => values.fill(0),
    () => models.make('float32'),
  )
  const note = expect.stringMatching(/^All frames are one colour\./) as string
  expect(result).toMatchObject({ notes: [note] })
  expect(events).toContainEqual({ type: 'note', note })
})
