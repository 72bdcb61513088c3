import { expect, test } from 'vitest'
import { aModel, anAdapter } from '#renderer/store/testing.ts'
import type { ModelEntry } from '../models.ts'
import { defaultSettings, usesOf } from '../pipelines.ts'
import { problemsOf } from './pipeline.ts'
import { textToVideo, type TextToVideoSettings } from './text-to-video.ts'

const { blockOutChannels: blocks = [] } = aModel()
const net = (change: Partial<ModelEntry> = {}): ModelEntry =>
  anAdapter({ id: 'net', name: 'Net', kind: 'controlnet', crossAttentionDim: 64, blockOutChannels: blocks, ...change })
const sparse = net({ id: 'sparse', name: 'Sparse', kind: 'sparse-controlnet', numFrames: 8 })
const { blockOutChannels: _, ...ofPictures } = net({ id: 'plus', name: 'Plus', kind: 'ip-adapter' })
const plus: ModelEntry = { ...ofPictures, imageEmbeds: { hidden_states: 24 }, hasImageEncoder: false }
const encoder = net({
  id: 'clip',
  name: 'Clip',
  kind: 'image-encoder',
  imageEmbeds: { hidden_states: 24, image_embeds: 20 },
})

const models = [aModel({ crossAttentionDim: 64 }), anAdapter(), net(), sparse, plus, encoder]
const settings = textToVideo.suited({ ...defaultSettings('text-to-video'), prompt: 'a boat' }, models[0]!, models)
const problems = (change: Partial<TextToVideoSettings>, all = models) =>
  problemsOf(textToVideo, { ...settings, ...change }, all).map(({ field, message }) => [field, message])

const file = { sha256: 'a'.repeat(64), name: 'a.png' }
const choice = { id: 'net', scale: 1, start: 0, end: 1, detect: 'none' } as const
const instead = (entry: ModelEntry): ModelEntry[] => [...models.filter(({ id }) => id !== entry.id), entry]

test('nothing is needed where nothing steers, and all that fits is let through', () => {
  expect(problems({})).toEqual([])
  const all = {
    controlNets: [choice],
    controlFrames: [file],
    sparseControl: { id: 'sparse', scale: 1, frames: [0, 7] },
    sparsePictures: [file, file],
    ipAdapters: [{ id: 'plus', scale: 0.6 }],
    ipPictures: [file],
    imageEncoder: 'clip',
  }
  expect(problems(all)).toEqual([])
})

test('what was made for another base model is refused before anything is opened', () => {
  const steered = { controlNets: [choice], controlFrames: [file] }
  expect(problems(steered, instead(net({ crossAttentionDim: 768 })))).toEqual([
    ['controlNets', 'Net is for another base model: its cross_attention_dim is 768, that of Shapes 64.'],
  ])
  expect(problems(steered, instead(net({ blockOutChannels: [320, 640] })))).toEqual([
    ['controlNets', 'Net is for another base model: its block channels are 320, 640, those of Shapes 32, 64.'],
  ])
  const pictured = { ipAdapters: [{ id: 'plus', scale: 1 }], ipPictures: [file], imageEncoder: 'clip' }
  expect(problems(pictured, instead({ ...plus, crossAttentionDim: 2048 }))).toEqual([
    ['ipAdapters', 'Plus is for another base model: its cross_attention_dim is 2048, that of Shapes 64.'],
  ])
})

test('an IP-Adapter needs the image encoder that it was trained with', () => {
  const pictured = { ipAdapters: [{ id: 'plus', scale: 1 }], ipPictures: [file] }
  expect(problems(pictured)).toEqual([['imageEncoder', expect.stringMatching(/^Plus needs the image encoder/)]])
  expect(problems(pictured, instead({ ...plus, hasImageEncoder: true }))).toEqual([])
  const other = instead({ ...encoder, imageEmbeds: { hidden_states: 1280, image_embeds: 1024 } })
  expect(problems({ ...pictured, imageEncoder: 'clip' }, other)).toEqual([
    ['imageEncoder', 'Clip is not the image encoder of Plus: its embeddings are 1280 wide, where 24 are needed.'],
  ])
})

test('each has its frames or pictures, in the clip and in the run', () => {
  expect(problems({ controlNets: [choice] })).toEqual([['controlFrames', 'Choose a clip for each ControlNet.']])
  expect(problems({ controlNets: [choice], controlFrames: [null] })).toEqual([
    ['controlFrames', 'Choose a clip for each ControlNet.'],
  ])
  expect(problems({ controlFrames: [file] })).toEqual([['controlFrames', expect.stringMatching(/for no ControlNet/)]])
  const backwards = { controlNets: [{ ...choice, start: 0.5, end: 0.5 }], controlFrames: [file] }
  expect(problems(backwards)).toEqual([['controlNets', expect.stringMatching(/from 0.5 to 0.5 never does/)]])
  const at = (...frames: number[]) => ({ sparseControl: { id: 'sparse', scale: 1, frames } })
  expect(problems({ ...at(8), sparsePictures: [file] })).toEqual([
    ['sparseControl', 'SparseCtrl has a picture for frame 8, but the last frame is 7.'],
  ])
  expect(problems({ ...at(), sparsePictures: [] })).toEqual([['sparseControl', expect.stringMatching(/at least one/)]])
  expect(problems({ ...at(0), sparsePictures: [file], numFrames: 16 })).toEqual([
    ['sparseControl', '16 frames are more than Sparse can steer: at most 8.'],
  ])
})

test('a still or a clip that is put there finds its place, and a model that reads it where there is none yet', () => {
  const other = { ...file, name: 'b.png' }
  const { ipPictures, sparsePictures, controlFrames } = textToVideo.media
  const strange = net({ id: 'a strange one', crossAttentionDim: 768 })
  const pictured = ipPictures.put(settings, file, models)
  expect(pictured).toMatchObject({ ipAdapters: [{ id: 'plus' }], ipPictures: [file], imageEncoder: 'clip' })
  const steered = controlFrames.put(pictured, file, [strange, ...models])
  expect(steered).toMatchObject({ controlNets: [{ id: 'net' }], controlFrames: [file] })
  const begun = sparsePictures.put(steered, file, models)
  expect(problems(begun)).toEqual([])
  expect(sparsePictures.put(begun, other, models)).toMatchObject({
    sparseControl: { id: 'sparse', frames: [0, 1] },
    sparsePictures: [file, other],
  })
  const emptied = { ...begun, controlFrames: [null] }
  expect(controlFrames.put(emptied, other, models)).toMatchObject({
    controlNets: [{ id: 'net' }],
    controlFrames: [other],
  })
})

test('what no model reads is no use', () => {
  const uses = (all: readonly ModelEntry[]) => usesOf('still', all, 'text-to-video').map(({ use }) => use)
  expect(uses(models)).toEqual([
    'First frame of a clip',
    'Vary this picture',
    'Picture for an IP-Adapter',
    'Frame for SparseCtrl',
    'Picture for a ControlNet',
  ])
  expect(uses([aModel()])).toEqual(['First frame of a clip', 'Vary this picture'])
})
