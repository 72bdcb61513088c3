import { expect, test } from 'vitest'
import { aModel } from '#renderer/store/testing.ts'
import type { MixItem } from '../mix.ts'
import { defaultSettings, pipelines } from '../pipelines.ts'
import type { ModelEntry } from '../models.ts'
import { mediaOf, problemsOf } from './pipeline.ts'
import { itemsOf, mixTitle, priorRuns } from './prior.ts'

const { 'prior-to-image': priorToImage, 'text-to-embedding': textToEmbedding, unclip } = pipelines
const of = (change: Partial<ModelEntry>): ModelEntry => aModel({ needsMotionAdapter: false, ...change })
const prior = of({ id: 'prior', name: 'Prior', kind: 'prior', embeddingDim: 20 })
const decoder = of({ id: 'decoder', name: 'Decoder', kind: 'image-decoder', embeddingDim: 20, nativeSize: 32, sizeMultiple: 4 }) // prettier-ignore
const models = [decoder, of({ ...prior, id: 'wide', name: 'Wide', embeddingDim: 24 }), prior]
const text = (words: string, weight = 1): MixItem => ({ kind: 'text', text: words, weight })
const media = { sha256: 'ab'.repeat(32), name: 'fox.png' }
const initial = { ...defaultSettings('prior-to-image'), prompt: 'a boat' }
const settings = priorToImage.suited(initial, decoder, models)
const messages = (change: Partial<typeof settings>) =>
  problemsOf(priorToImage, { ...settings, ...change }, models).map(({ field, message }) => `${field}: ${message}`)

test('a decoder takes the first prior of its width, and its own size', () => {
  expect(settings).toMatchObject({ model: 'decoder', prior: 'prior', width: 32, height: 32 })
  expect(messages({})).toEqual([])
  expect(priorToImage.suited(initial, of({ ...decoder, embeddingDim: 7 }), models).prior).toBeNull()
})

test('what cannot be is said in words', () => {
  expect(messages({ prior: 'wide' })).toEqual([expect.stringMatching(/^prior: Wide makes embeddings of 24 numbers/)])
  expect(messages({ prior: null })).toEqual([expect.stringMatching(/^prior: .*made an embedding by a prior/)])
  expect(messages({ width: 30 })).toEqual([expect.stringMatching(/^width: .*multiple of 4/)])
  expect(messages({ promptWeight: 0 })).toEqual(['mix: All weights are 0: nothing is left to be mixed.'])
  const empty: MixItem[] = [{ kind: 'picture', media: null, weight: 1 }, text(' ')]
  for (const item of empty) expect(messages({ mix: [item] })).toEqual([expect.stringMatching(/^mix: .*not chosen yet/)])
  expect(messages({ negativePrompt: 'blurry', priorGuidanceScale: 1 })).toEqual([
    expect.stringMatching(/^priorGuidanceScale: /),
  ])
  const lms = { scheduler: 'LMSDiscreteScheduler', schedulerConfig: { clip_sample: false } }
  expect(messages(lms)).toEqual([expect.stringMatching(/^schedulerConfig: LMS does not read clip_sample/)])
  expect(messages({ image: media, strength: 0.01 })).toEqual([expect.stringMatching(/^strength: /)])
  const kept: MixItem[] = [{ kind: 'embedding', media, weight: 1 }]
  expect(messages({ prior: null, prompt: '', mix: kept })).toEqual([])
})

test('the prompt is an item of the mix unless it is empty, and the files are its media', () => {
  const mix: MixItem[] = [{ kind: 'picture', media, weight: 0.5 }, text('a fox', 2)]
  const mixed = { ...settings, mix, promptWeight: 0.25 }
  expect(itemsOf(mixed)).toEqual([text('a boat', 0.25), ...mix])
  expect(itemsOf({ ...mixed, prompt: '' })).toEqual(mix)
  expect(mixTitle(mixed)).toBe('a boat + fox.png + a fox')
  expect(mediaOf(priorToImage, mixed)).toEqual({ image: [], pictures: [media], embeddings: [] })
  const { embeddings } = textToEmbedding.media
  expect(embeddings.put({ ...defaultSettings('text-to-embedding'), mix }, media, []).mix).toEqual([
    ...mix,
    { kind: 'embedding', media, weight: 1 },
  ])
})

test('steps are counted for each text that is sampled, and for what a mix is guided away from', () => {
  expect(priorRuns(settings)).toBe(1)
  expect(priorRuns({ ...settings, negativePrompt: 'blurry' })).toBe(1)
  const mix = [text('a fox')]
  expect(priorRuns({ ...settings, mix })).toBe(2)
  expect(priorRuns({ ...settings, mix, negativePrompt: 'blurry' })).toBe(3)
  const steps = { ...settings, priorSteps: 10, numInferenceSteps: 20 }
  expect(priorToImage.stepsOf(steps)).toBe(30)
  expect(priorToImage.stepsOf({ ...steps, image: media, strength: 0.5 })).toBe(20)
  expect(priorToImage.stepsOf({ ...steps, prior: null })).toBe(20)
})

test('unCLIP makes pictures of one size', () => {
  const karlo = of({ id: 'karlo', name: 'Karlo', kind: 'unclip', nativeSize: 256 })
  const suited = unclip.suited({ ...defaultSettings('unclip'), prompt: 'a boat' }, karlo)
  expect(problemsOf(unclip, suited, [karlo])).toEqual([])
  expect(problemsOf(unclip, { ...suited, height: 512 }, [karlo])).toMatchObject([{ field: 'width' }])
})
