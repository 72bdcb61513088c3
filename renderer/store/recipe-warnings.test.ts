import { expect, test } from 'vitest'
import { recipeWarnings } from './recipe-warnings.ts'
import { aClip, aModel, anAdapter } from './testing.ts'

const models = [aModel(), anAdapter()]
const clip = aClip()

test('nothing to say where the same weights made a clip before', () => {
  expect(recipeWarnings(clip.recipe, models, [clip])).toEqual([])
})

test('a model that is not here', () => {
  expect(recipeWarnings(clip.recipe, [aModel()], [])).toEqual([expect.stringContaining('“Motion” is not here')])
})

test('a LoRA that is not here', () => {
  const night = { id: 'night', name: 'Night', sha256: {} }
  expect(recipeWarnings({ ...clip.recipe, loras: [night] }, models, [])).toEqual([
    expect.stringContaining('“Night” is not here'),
  ])
})

test('a model whose weights differ from the ones known here', () => {
  const recipe = { ...clip.recipe, model: { ...clip.recipe.model, sha256: { 'unet.safetensors': 'c'.repeat(64) } } }
  expect(recipeWarnings(recipe, models, [clip])).toEqual([expect.stringContaining('“Shapes” here has other weights')])
})
