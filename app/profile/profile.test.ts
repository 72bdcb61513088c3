import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { AttnProcessor } from '#app/contract/attn-processors.ts'
import { defaultCompute } from '#app/contract/compute.ts'
import { modelProfileSchema, tuneReportSchema, type ModelProfile, type ProfileSettings } from '#app/contract/profile.ts'
import type { CompileOptions } from '#app/graph/index.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { autotune } from './autotune.ts'
import { liveMemory } from './live-memory.ts'
import { profileModel } from './profile-model.ts'
import { peakOf } from './run-profiled.ts'
import { openSubject, type Subject } from './subject.ts'

const demo = resolve('resources/demo-models')
const goldens = resolve('e2e/goldens/checkpoints')
const small = { width: 32, height: 32, numFrames: 4, batch: 1, compute: defaultCompute }
const untouched = { attnProcessor: null, forwardChunking: null }
const nothing = (): void => {}

const openDemo = (sessions: SessionCache, shape = small): Promise<Subject> =>
  openSubject(sessions, join(demo, 'moving-shapes'), join(demo, 'moving-shapes-motion'), shape)

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

describe('profile', () => {
  async function profile(settings: ProfileSettings = { ...small, ...untouched }): Promise<ModelProfile> {
    const sessions = new SessionCache()
    return profileModel(sessions, await openDemo(sessions, settings), settings, nothing)
  }

  it('lists every attention layer with its processor, each block, and times that sum to the whole', async () => {
    const sessions = new SessionCache()
    const subject = await openDemo(sessions)
    const found = modelProfileSchema.parse(await profileModel(sessions, subject, { ...small, ...untouched }, nothing))
    const attention = found.layers.filter(({ kind }) => kind === 'attention')
    expect(Object.fromEntries(attention.map(({ path, processor }) => [`${path}.processor`, processor]))).toEqual(
      subject.model.attnProcessors,
    )
    expect(found.layers.filter(({ kind }) => kind === 'feed-forward')).toHaveLength(11)
    const mid = found.layers.filter(({ path }) => path.startsWith('mid_block.attentions.0.'))
    expect(mid.map(({ path }) => path.split('.').at(-1))).toEqual(['attn1', 'attn2', 'ff'])
    expect(found.blocks.map(({ path }) => path)).toEqual([
      'conv_in',
      'time_embedding', // its last activation waits for the first block that asks for it
      'down_blocks.0',
      'down_blocks.1',
      'mid_block',
      'up_blocks.0',
      'up_blocks.1',
      'conv_norm_out',
      'conv_out',
      'other',
    ])
    expect(sum(found.blocks.map(({ milliseconds }) => milliseconds)) / found.milliseconds).toBeCloseTo(1, 3)
    expect(sum(found.blocks.map(({ share }) => share))).toBeCloseTo(1, 3)
    expect(Math.max(...found.blocks.map(({ peakBytes }) => peakBytes))).toBe(found.peakBytes)
    for (const { path, milliseconds, ownBytes, peakBytes } of found.layers) {
      expect(milliseconds, path).toBeGreaterThan(0)
      expect(ownBytes, path).toBeGreaterThan(0)
      expect(ownBytes, path).toBeLessThanOrEqual(peakBytes)
    }
    // The weights of the UNet and the adapter, without what this shape does not read.
    expect(found.weightBytes).toBeGreaterThan(5e6)
    expect(found.weightBytes).toBeLessThan(6.3e6)
  })

  it('is of the processors and the chunking that are asked for', async () => {
    const sliced: AttnProcessor = { processor: 'SlicedAttnProcessor', slice_size: 2 }
    const chunked = await profile({ ...small, attnProcessor: sliced, forwardChunking: { chunkSize: 4, dim: 0 } })
    const whole = await profile()
    expect(new Set(chunked.layers.flatMap(({ processor }) => processor ?? []))).toEqual(new Set([sliced]))
    const ffOf = ({ layers }: ModelProfile): number =>
      Math.max(...layers.flatMap(({ kind, ownBytes }) => (kind === 'feed-forward' ? [ownBytes] : [])))
    expect(ffOf(chunked)).toBeLessThan(0.7 * ffOf(whole))
  })

  it('refuses chunks that take too many turns, a chunk that does not divide, and another provider', async () => {
    const large = { ...small, width: 1024, height: 1024, numFrames: 8 }
    await expect(profile({ ...large, attnProcessor: null, forwardChunking: { chunkSize: 1, dim: 0 } })).rejects.toThrow(
      'choose a larger size',
    )
    await expect(profile({ ...small, attnProcessor: null, forwardChunking: { chunkSize: 7, dim: 0 } })).rejects.toThrow(
      'does not divide',
    )
    const elsewhere = { provider: 'webgpu', precision: 'float32', exact: false } as const
    await expect(profile({ ...small, ...untouched, compute: elsewhere })).rejects.toThrow('on the processor only')
  })

  const others = [
    ['temporal-default', 'TransformerTemporalModel', 'transformer_blocks.0.attn1'],
    ['prior-kandinsky', 'PriorTransformer', 'transformer_blocks.0.attn1'],
    ['pixart-sigma', 'PixArtTransformer2DModel', 'transformer_blocks.0.attn2'],
    ['timesformer-divided_space_time', 'TimesformerForVideoClassification', 'attention'],
    ['unet-motion-sdxl', 'UNetMotionModel', 'mid_block.attentions.0.transformer_blocks.0.attn1'],
    ['unet3d', 'UNet3DConditionModel', 'mid_block.temp_attentions.0.transformer_blocks.0.attn1'],
    ['clip-text', 'CLIPTextModel', 'self_attn'],
  ] as const
  for (const [name, className, layer] of others)
    it(`is of a ${className} too`, async () => {
      const sessions = new SessionCache()
      const subject = await openSubject(sessions, join(goldens, name), null, { ...small, width: 64, height: 64 })
      const found = await profileModel(sessions, subject, { ...small, ...untouched }, nothing)
      expect(found.className).toBe(className)
      expect(found.layers.some(({ path }) => path.includes(layer))).toBe(true)
    })

  it('says of a model that cannot be profiled which can', async () => {
    await expect(openSubject(new SessionCache(), join(goldens, 'vae'), null, small)).rejects.toThrow(
      /AutoencoderKL.*UNetMotionModel/s,
    )
  })
})

it('sliced attention holds less than plain attention where scores are large', async () => {
  const sessions = new SessionCache()
  const { model, call } = await openDemo(sessions, { ...small, width: 256, height: 256, numFrames: 2 })
  const peak = async (attn: AttnProcessor): Promise<number> => {
    const processors = { default: attn, layers: {} }
    const { graph } = await model.lowered(call, defaultCompute, { processors })
    return peakOf(liveMemory(graph))
  }
  const plain = await peak({ processor: 'AttnProcessor' })
  expect(await peak({ processor: 'SlicedAttnProcessor', slice_size: 1 })).toBeLessThan(plain / 2)
})

it('split inference holds less of a clip', async () => {
  const sessions = new SessionCache()
  const { model, call } = await openDemo(sessions, { ...small, width: 128, height: 128, numFrames: 24 })
  const peak = async (splitInference: CompileOptions['splitInference']): Promise<number> =>
    peakOf(liveMemory((await model.lowered(call, defaultCompute, { splitInference })).graph))
  const whole = await peak(null)
  expect(await peak({ spatialSplitSize: 64, temporalSplitSize: 4 })).toBeLessThan(whole * 0.75)
})

it('autotune proposes ways that nothing beats, and the map it proposes is one for the model', async () => {
  const sessions = new SessionCache()
  const subject = await openDemo(sessions)
  const tuning = autotune(sessions, subject, { ...small, memoryBytes: null }, nothing)
  let progress = 0
  let next = await tuning.next()
  while (!next.done) {
    expect(next.value.progress).toBeGreaterThanOrEqual(progress)
    ;({ progress } = next.value)
    next = await tuning.next()
  }
  const { proposals, advised, shapes, layers } = tuneReportSchema.parse(next.value)
  expect(layers).toBe(33)
  expect(shapes).toBeLessThan(layers)
  expect(proposals.length).toBeGreaterThan(1) // what the model does without a choice is always one
  expect(proposals.length).toBeLessThanOrEqual(5)
  const least = proposals.find(({ name }) => /least memory/i.test(name))!
  expect(proposals[0]!.name).toMatch(/^Fastest/)
  expect(advised).toBe(proposals[0]!.name)
  expect(least.measured.peakBytes).toBe(Math.min(...proposals.map(({ measured }) => measured.peakBytes)))
  // The feed-forward layers are what it can save here: chunks make them smaller.
  expect(least.forwardChunking).not.toBeNull()
  for (const { attnProcessor, forwardChunking, measured, predicted } of proposals) {
    if (attnProcessor) await subject.model.setAttnProcessor(attnProcessor)
    if (forwardChunking) subject.model.enableForwardChunking(forwardChunking.chunkSize, forwardChunking.dim)
    else subject.model.disableForwardChunking()
    const { graph } = await subject.model.lowered(subject.call, defaultCompute)
    expect(peakOf(liveMemory(graph))).toBe(measured.peakBytes)
    expect(predicted.peakBytes / measured.peakBytes).toBeCloseTo(1, 1)
  }
})

it('autotune stops when it is told to', async () => {
  const sessions = new SessionCache()
  const stop = (): never => {
    throw new Error('stopped')
  }
  const tuning = autotune(sessions, await openDemo(sessions), { ...small, memoryBytes: null }, stop)
  await tuning.next()
  await expect(tuning.next()).rejects.toThrow('stopped')
})
