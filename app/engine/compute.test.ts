import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, it, vi } from 'vitest'
import { defaultCompute, type Compute } from '#app/contract/compute.ts'
import { defaultSettings } from '#app/contract/pipelines.ts'
import type { EngineCalls, LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { labels, picture, testSettings } from '#app/library/test-results.ts'
import { resourcesDir } from '#main/paths.ts'
import { runPipeline } from '#app/pipelines/node/runners.ts'
import type { CallContext, Handler } from './call.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { createWeightHashes } from '#app/catalog/weight-hashes.ts'
import { autotuneHandler, profileHandler } from './handlers/profile.ts'
import { scanModels } from './handlers/scan-models.ts'

/** The choice of a device and a precision, through the engine's own calls and the bundled models. */

const demo = join(resourcesDir(), 'demo-models')
let folder: string
let models: LocatedModel[]
let stages: string[]
/** The stage at which the call is cancelled. */
let cancelAt: RegExp | undefined
const context: CallContext = {
  signal: new AbortController().signal,
  checkCancelled() {
    if (cancelAt && stages.some((stage) => cancelAt!.test(stage))) throw new ProblemError('cancelled', 'Cancelled.')
  },
  stage: (stage) => void stages.push(stage),
  controls: () => undefined,
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-compute-'))
  vi.stubEnv('FRAMELOOM_CACHE', join(folder, 'cache'))
  vi.stubEnv('FRAMELOOM_RESOURCES', resourcesDir())
  stages = []
  cancelAt = undefined
  ;({ models } = await scanModels({ roots: [{ folder: demo, source: 'bundled' }] }, context))
  return async () => {
    vi.unstubAllEnvs()
    await rm(folder, { recursive: true })
  }
})

const model = (id: string): LocatedModel => models.find((one) => one.id === id)!

async function resultOf<M extends 'run' | 'profile' | 'autotune'>(
  running: ReturnType<Handler<M>>,
): Promise<EngineCalls[M]['result']> {
  if (!(Symbol.asyncIterator in running)) return running
  for (;;) {
    const { done, value } = await running.next()
    if (done) return value
    if (value.type === 'stage') stages.push(value.stage)
  }
}

const hashes = createWeightHashes()
const referenceOf = (model: LocatedModel, signal: AbortSignal) => hashes.referenceOf(model, signal)
const run = (request: EngineCalls['run']['request'], sessions = new SessionCache()) =>
  resultOf<'run'>(runPipeline({ sessions, referenceOf }, request, context))

async function generate(
  name: string,
  compute: Partial<Compute>,
  sessions?: SessionCache,
  size = { numFrames: 2, numInferenceSteps: 1 },
) {
  const out = join(folder, name)
  const settings = {
    ...testSettings,
    ...size,
    model: 'moving-shapes',
    motionAdapter: 'moving-shapes-motion',
    prompt: 'a red circle moving left on a black background',
    compute: { ...defaultCompute, ...compute },
  }
  const models = { model: [model('moving-shapes')], motionAdapter: [model('moving-shapes-motion')] }
  const { recipe } = picture(
    await run({ pipeline: 'text-to-video', settings, models, out, appVersion: '0.0.0' }, sessions),
  )
  return { recipe, frames: await sharp(out, { animated: true }).raw().toBuffer() }
}

function decibels(a: Buffer, b: Buffer): number {
  const squares = a.reduce((sum, value, i) => sum + (value - b[i]!) ** 2, 0)
  return 10 * Math.log10(255 ** 2 / (squares / a.length))
}

it('int8 gives a clip within 33 dB of float32 after 4 steps, and exact the very same where nothing is approximated', async () => {
  const sessions = new SessionCache()
  const size = { numFrames: 4, numInferenceSteps: 4 }
  const { frames } = await generate('float32.webp', {}, sessions, size)
  expect(stages.filter((stage) => stage.startsWith('Quantising'))).toEqual([])
  const int8 = await generate('int8.webp', { precision: 'int8' }, sessions, size)
  expect(int8.recipe.settings.compute).toEqual({ ...defaultCompute, precision: 'int8' })
  expect(decibels(int8.frames, frames)).toBeGreaterThan(33)
  expect(int8.frames.equals(frames)).toBe(false)
  const exact = await generate('exact.webp', { exact: true }, sessions, size)
  expect(exact.recipe.settings.compute.exact).toBe(true)
  expect(exact.frames.equals(frames)).toBe(true)
  // Frames are decoded in float32 whatever the rest computes in.
  const labels = sessions.stats().sessions.map(({ label }) => label)
  expect(labels.filter((label) => label.startsWith('UNetMotionModel') && label.endsWith(', int8'))).toHaveLength(1)
  expect(labels.filter((label) => label.startsWith('AutoencoderKL') && label.endsWith(', int8'))).toEqual([])
})

it('the first run in int8 says so while it quantises, and only the first', async () => {
  await generate('a.webp', { precision: 'int8' })
  expect(stages).toContain('Quantising weights, once: 0 %')
  stages = []
  await generate('b.webp', { precision: 'int8' })
  expect(stages.filter((stage) => stage.startsWith('Quantising'))).toEqual([])
})

it('quantising is cancelled, and leaves nothing half-made', async () => {
  cancelAt = /^Quantising/
  await expect(generate('a.webp', { precision: 'int8' })).rejects.toMatchObject({ problem: { code: 'cancelled' } })
  expect(stages.at(-1)).toBe('Quantising weights, once: 0 %')
  const left = await readdir(folder, { recursive: true })
  expect(left.filter((name) => /webp|safetensors/.test(name))).toEqual([])
})

it('profile and autotune say so too, and are cancelled meanwhile', async () => {
  const request = { model: model('moving-shapes').folder, motionAdapter: model('moving-shapes-motion').folder }
  const compute = { ...defaultCompute, precision: 'int8' } as const
  const settings = { width: 32, height: 32, numFrames: 2, batch: 1, compute }
  const measured = [
    () =>
      profileHandler(new SessionCache())(
        { ...request, settings: { ...settings, attnProcessor: null, forwardChunking: null } },
        context,
      ),
    () => autotuneHandler(new SessionCache())({ ...request, settings: { ...settings, memoryBytes: null } }, context),
  ] as const
  cancelAt = /^Quantising/
  for (const measure of measured) {
    stages = []
    await expect(resultOf<'profile' | 'autotune'>(measure())).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    expect(stages.at(-1)).toBe('Quantising weights, once: 0 %')
  }
  expect((await readdir(folder, { recursive: true })).filter((name) => name.endsWith('safetensors'))).toEqual([])
  cancelAt = undefined
  stages = []
  await resultOf<'profile' | 'autotune'>(measured[0]())
  expect(stages).toContain('Quantising weights, once: 0 %')
  expect(stages.at(-1)).toBe('Running the model')
})

it('a classifier takes them too', async () => {
  const answers = []
  for (const precision of ['float32', 'int8'] as const) {
    const settings = {
      ...defaultSettings('video-classification'),
      model: 'moving-shapes-timesformer',
      topK: 1,
      compute: { ...defaultCompute, precision },
    }
    const { classification } = labels(
      await run({
        pipeline: 'video-classification',
        settings,
        models: { model: [model('moving-shapes-timesformer')] },
        source: { file: join(demo, 'clips/white-circle-moving-down.gif'), name: 'clip.gif' },
        appVersion: '0.0.0',
      }),
    )
    answers.push(classification.labels[0]!)
  }
  const [float32, int8] = answers
  expect(int8!.label).toBe(float32!.label)
  expect(Math.abs(int8!.probability - float32!.probability)).toBeLessThan(0.02)
  expect(int8!.probability).not.toBe(float32!.probability)
  expect(stages).toContain('Quantising weights, once: 0 %')
})

it('a device that is not there is refused with what there is', async () => {
  const provider = process.platform === 'win32' ? 'coreml' : 'dml'
  await expect(generate('a.webp', { provider })).rejects.toMatchObject({
    problem: {
      code: 'unsupported',
      field: 'compute',
      message: expect.stringMatching(/there is the processor/) as string,
    },
  })
})
