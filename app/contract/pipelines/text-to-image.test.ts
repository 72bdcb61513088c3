import { expect, test } from 'vitest'
import { aModel, anAdapter } from '#renderer/store/testing.ts'
import { defaultSettings } from '../pipelines.ts'
import { problemsOf } from './pipeline.ts'
import { textToImage } from './text-to-image.ts'

const models = [aModel(), anAdapter()]
const settings = textToImage.suited({ ...defaultSettings('text-to-image'), prompt: 'a boat' }, models[0]!, models)

test('a model that draws stills needs nothing beside it, and has its own noise schedule', () => {
  expect(settings).toMatchObject({ model: 'shapes', prompt: 'a boat', width: 64, schedulerConfig: {} })
  expect(settings).not.toHaveProperty('motionAdapter')
  expect(problemsOf(textToImage, settings, [aModel()])).toEqual([])
})

test('a model with motion modules inside is refused in words, and so is a size off the grid', () => {
  const mover = aModel({ needsMotionAdapter: false })
  const [problem, ...more] = problemsOf(textToImage, settings, [mover])
  expect(problem).toMatchObject({ field: 'model', message: expect.stringContaining('makes clips only') as string })
  expect(more).toEqual([])
  expect(problemsOf(textToImage, { ...settings, width: 60 }, models)).toMatchObject([{ field: 'width' }])
})
