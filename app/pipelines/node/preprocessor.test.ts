import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toProblem } from '#app/contract/errors.ts'
import { parseConfig } from '#app/models/model.ts'
import { timesformerForVideoClassification } from '#app/models/timesformer.ts'
import { openPreprocessor } from './preprocessor.ts'

const model = parseConfig(timesformerForVideoClassification, { image_size: 96, num_labels: 3 })
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-preprocessor-'))
})
afterEach(() => rm(folder, { recursive: true }))

const write = (name: string, json: unknown): Promise<void> => writeFile(join(folder, name), JSON.stringify(json))
const withMean = (mean: number) => ({ image_mean: [mean, mean, mean], size: { shortest_edge: 96 } })
const meanOf = async (): Promise<number> => {
  const { config, notes } = await openPreprocessor(folder, model)
  expect(notes).toEqual([])
  return [config.image_mean].flat()[0]!
}

test('each of the places counts, in the order in which transformers looks', async () => {
  await write('preprocessor_config.json', withMean(0.4))
  expect(await meanOf()).toBe(0.4)
  await write('processor_config.json', { processor_class: 'SomeProcessor' })
  expect(await meanOf()).toBe(0.4)
  await write('processor_config.json', { image_processor: withMean(0.3) })
  expect(await meanOf()).toBe(0.3)
  await write('video_preprocessor_config.json', {
    ...withMean(0.2),
    video_processor_type: 'VideoMAEVideoProcessor',
    do_sample_frames: false,
    num_frames: null,
    crop_size: null,
    return_metadata: false,
  })
  expect(await meanOf()).toBe(0.2)
  await write('processor_config.json', { image_processor: withMean(0.3), video_processor: withMean(0.1) })
  expect(await meanOf()).toBe(0.1)
})

test('where there is none, it is said what stands in for it', async () => {
  const { config, notes } = await openPreprocessor(folder, model)
  expect(config).toMatchObject({ image_mean: [0.45, 0.45, 0.45], crop_size: { height: 96, width: 96 } })
  expect(notes).toEqual([
    'The model has no preprocessor_config.json, so its frames are prepared as those of the published TimeSformers: ' +
      '96x96, mean 0.45, deviation 0.225.',
  ])
})

test('a processor that would choose frames itself is told of', async () => {
  await write('video_preprocessor_config.json', { ...withMean(0.2), do_sample_frames: true, fps: 2 })
  const { notes } = await openPreprocessor(folder, model)
  expect(notes.join()).toContain('video_preprocessor_config.json asks to choose the frames itself')
})

test('what cannot be honoured is refused with its file, part and key', async () => {
  await write('processor_config.json', { video_processor: { ...withMean(0.2), do_pad: true } })
  const problem = await openPreprocessor(folder, model).then(() => undefined, toProblem)
  expect(problem).toMatchObject({ code: 'bad-model', field: 'do_pad' })
  expect(problem!.message).toContain('processor_config.json (video_processor): do_pad')

  await writeFile(join(folder, 'processor_config.json'), '{"video_processor": {"image_mean": [NaN, 0, 0]}}')
  const number = await openPreprocessor(folder, model).then(() => undefined, toProblem)
  expect(number?.message).toMatch(/processor_config\.json \(video_processor\): image_mean.* cannot be honoured/)
  expect(number?.message).not.toContain('\n')
})
