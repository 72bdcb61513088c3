import { expect, test } from 'vitest'
import { aModel } from '#renderer/store/testing.ts'
import { defaultSettings, usesOf, type PipelineName } from '../pipelines.ts'
import { imageToImage, stepsFromImage, type ImageToImageSettings } from './image-to-image.ts'
import { mediaOf, problemsOf, type Pipeline } from './pipeline.ts'

const record: Pipeline<ImageToImageSettings> = imageToImage
const models = [aModel()]
const image = { sha256: 'ab'.repeat(32), name: 'cat.png' }
const settings = imageToImage.suited({ ...defaultSettings('image-to-image'), prompt: 'a boat' }, models[0]!, models)

test('it cannot be made without its picture, which settings name by its content', () => {
  expect(problemsOf(record, settings, models)).toMatchObject([
    { field: 'image', message: 'Choose a picture: this cannot be made without one.' },
  ])
  const complete = imageToImage.media.image.put(settings, image, models)
  expect(problemsOf(record, complete, models)).toEqual([])
  expect(mediaOf(record, complete)).toEqual({ image: [image], controlFrames: [], ipPictures: [] })
  expect(problemsOf(record, { ...complete, image: { ...image, sha256: '../cat' } }, models)).toMatchObject([
    { field: 'image' },
  ])
})

test('a strength that leaves no step is refused with one that does', () => {
  const weak = { ...settings, image, numInferenceSteps: 20, strength: 0.04 }
  expect(problemsOf(record, weak, models)).toMatchObject([
    { field: 'strength', message: 'Of 20 steps, strength 0.04 leaves none: use at least 0.05.' },
  ])
  expect(stepsFromImage({ ...weak, strength: 0.05 })).toBe(1)
  expect(imageToImage.stepsOf({ ...weak, strength: 1 })).toBe(20)
})

test('a still of the library can begin it, or a clip, where there is a model for that', () => {
  const firstFrame = { pipeline: 'image-to-video', role: 'image', use: 'First frame of a clip' }
  const vary = { pipeline: 'image-to-image', role: 'image', use: 'Vary this picture' }
  expect(usesOf('still', models)).toEqual([firstFrame, vary])
  expect(usesOf('still', [])).toEqual([])
})

test('a use that several pipelines have is that of the form, or of its kind of model, or else of the first', () => {
  const xl = aModel({ id: 'xl', kind: 'stable-diffusion-xl' })
  const varied = (current: PipelineName) =>
    usesOf('still', [...models, xl], current).find(({ use }) => use === 'Vary this picture')?.pipeline
  expect(varied('pixart')).toBe('image-to-image')
  expect(varied('image-to-image-xl')).toBe('image-to-image-xl')
  expect(varied('text-to-image-xl')).toBe('image-to-image-xl')
})
