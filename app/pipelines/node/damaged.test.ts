import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import type { Precision } from '#app/contract/compute.ts'
import type { LocatedModel, RunEvent, RunResult } from '#app/contract/engine.ts'
import { ProblemError, type Problem } from '#app/contract/errors.ts'
import { scanModels } from '#app/engine/handlers/scan-models.ts'
import { testSettings } from '#app/library/test-results.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { bundledModelsDir } from '#main/paths.ts'
import type { RunContext } from './run.ts'
import { runTextToVideo } from './text-to-video.ts'
import { runVideoClassification } from './video-classification.ts'

const context: RunContext = {
  signal: new AbortController().signal,
  checkCancelled: () => undefined,
  stage: () => undefined,
  controls: () => undefined,
}
const unet = 'moving-shapes/unet/diffusion_pytorch_model.safetensors'
const motion = 'moving-shapes-motion/diffusion_pytorch_model.safetensors'
const vae = 'moving-shapes/vae/diffusion_pytorch_model.safetensors'
const textEncoder = 'moving-shapes/text_encoder/model.safetensors'
const classifier = 'moving-shapes-timesformer/model.safetensors'

let root: string
let out: string
let models: Record<string, LocatedModel>
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'frameloom-damaged-'))
  out = join(root, 'out')
  mkdirSync(out)
  cpSync(bundledModelsDir(), join(root, 'models'), { recursive: true })
  const found = await scanModels({ roots: [{ folder: join(root, 'models'), source: 'bundled' }] }, context)
  models = Object.fromEntries(found.models.map((model) => [model.id, model]))
})
afterAll(() => rmSync(root, { recursive: true }))

/** Changes a tensor of a file for the time of `work`. */
async function changed<T>(name: string, key: string, change: (values: Float32Array) => void, work: () => Promise<T>) {
  const file = join(root, 'models', name)
  const { source } = (await readSafetensors(file)).weights.get(key)!
  if (!('file' in source)) throw new Error(`${key} is not in the file`)
  const before = readFileSync(file)
  const after = Uint8Array.from(before)
  const bytes = after.slice(source.offset, source.offset + source.length)
  change(new Float32Array(bytes.buffer))
  after.set(bytes, source.offset)
  writeFileSync(file, after)
  try {
    return await work()
  } finally {
    writeFileSync(file, before)
  }
}

/** With one number in the middle of a tensor. */
const damaged = <T>(name: string, key: string, number: number, work: () => Promise<T>): Promise<T> =>
  changed(name, key, (values) => void (values[values.length >> 1] = number), work)

type Ended = { readonly result?: RunResult; readonly problem?: Problem; readonly events: readonly RunEvent[] }

async function ended(running: AsyncGenerator<RunEvent, RunResult>): Promise<Ended> {
  const events: RunEvent[] = []
  try {
    for (;;) {
      const { done, value } = await running.next()
      if (done) return { result: value, events }
      events.push(value)
    }
  } catch (error) {
    if (error instanceof ProblemError) return { problem: error.problem, events }
    throw error
  }
}

async function make(precision: Precision, change: Partial<typeof testSettings> = {}): Promise<Ended> {
  const sessions = new SessionCache()
  const settings = {
    ...testSettings,
    width: 32,
    height: 32,
    numFrames: 2,
    numInferenceSteps: 2,
    compute: { provider: 'cpu', precision, exact: false },
    ...change,
  } as const
  const referenceOf = ({ id, name }: LocatedModel) => Promise.resolve({ id, name, sha256: {} })
  const [model, motionAdapter] = [[models['moving-shapes']!], [models['moving-shapes-motion']!]]
  const request = {
    pipeline: 'text-to-video',
    settings,
    models: { model, motionAdapter },
    out: join(out, 'clip.webp'),
    appVersion: '0.0.0',
  } as const
  try {
    return await ended(runTextToVideo({ sessions, referenceOf }, request, context))
  } finally {
    await sessions.close()
  }
}

async function look(precision: Precision): Promise<Ended> {
  const sessions = new SessionCache()
  const compute = { provider: 'cpu', precision, exact: false } as const
  const request = {
    pipeline: 'video-classification',
    settings: { model: 'moving-shapes-timesformer', sampling: { kind: 'even' }, topK: 3, compute },
    models: { model: [models['moving-shapes-timesformer']!] },
    source: { file: join(root, 'models/clips/red-circle-moving-left.mp4'), name: 'circle.mp4' },
    appVersion: '0.0.0',
  } as const
  const referenceOf = () => Promise.reject(new Error('nothing is saved'))
  try {
    return await ended(runVideoClassification({ sessions, referenceOf }, request, context))
  } finally {
    await sessions.close()
  }
}

const precisions = ['float32', 'int8'] as const

test.each(precisions)('whole models make a clip and labels in %s, and nothing is noted', async (precision) => {
  expect((await make(precision)).result).toMatchObject({ kind: 'picture', notes: [] })
  expect(readdirSync(out)).toEqual(['clip.webp'])
  rmSync(join(out, 'clip.webp'))
  expect((await look(precision)).result).toMatchObject({ kind: 'labels', classification: { notes: [] } })
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
        const { problem } = await damaged(name, key, number, () =>
          name === classifier ? look(precision) : make(precision),
        )
        expect(problem, `${key} ${number} ${precision}`).toMatchObject({ code: 'not-finite', field: key })
        expect(problem!.file).toMatch(new RegExp(`${name}$`))
        const where = `${className} (the processor in ${name === vae ? 'float32' : precision}): the tensor ${key} of `
        expect(problem!.message).toContain(where)
        expect(readdirSync(out)).toEqual([])
      }
  },
)

test('a table of embeddings that is NaN is not rounded to numbers in int8', async () => {
  const key = 'text_model.embeddings.token_embedding.weight'
  const { problem } = await changed(
    textEncoder,
    key,
    (values) => values.fill(NaN),
    () => make('int8'),
  )
  expect(problem).toMatchObject({ code: 'not-finite', field: key })
})

test('a model that goes too far with sound weights is named with its step, and float32 is offered where it may help', async () => {
  const grow = (precision: Precision) =>
    changed(
      unet,
      'conv_out.weight',
      (values) => values.fill(1e19),
      () => make(precision),
    )
  const inFloat32 = (await grow('float32')).problem!
  expect(inFloat32.message).toMatch(/^Step 1 of 2: UNetMotionModel gave NaN, infinity .* as sample, though its weights/)
  expect(inFloat32).not.toHaveProperty('field')
  expect((await grow('int8')).problem).toMatchObject({ code: 'not-finite', field: 'compute.precision' })
})

test('latents that the guidance drives out of bounds are not laid to a model', async () => {
  const [inFloat32, inInt8] = [
    (await make('float32', { guidanceScale: 1e30 })).problem!,
    (await make('int8', { guidanceScale: 1e30 })).problem!,
  ]
  expect(inFloat32.message).toMatch(
    /^Step 1 of 2: the latents hold NaN, .* though UNetMotionModel gave none \(the processor in float32\)\. Lower/,
  )
  expect(inFloat32.code).toBe('not-finite')
  expect(inInt8.message).toMatch(/\(the processor in int8\)\. Choose the precision float32\. Lower/)
  expect(inInt8.field).toBe('compute.precision')
  expect(readdirSync(out)).toEqual([])
})

test('frames of one colour are noted', async () => {
  const { result, events } = await changed(
    vae,
    'decoder.conv_out.weight',
    (values) => values.fill(0),
    () => make('float32'),
  )
  const note = expect.stringMatching(/^All frames are one colour\./) as string
  expect(result).toMatchObject({ notes: [note] })
  expect(events).toContainEqual({ type: 'note', note })
})
