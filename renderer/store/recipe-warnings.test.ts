import { expect, test } from 'vitest'
import { changedModels, missingModels } from './recipe-warnings.ts'
import { aClip, aModel, anAdapter } from './testing.ts'

const models = [aModel(), anAdapter()]
const { recipe } = aClip()
const here = new Map(
  Object.values(recipe.models)
    .flat()
    .map(({ id, sha256 }) => [id, sha256]),
)
const model = recipe.models.model![0]!
const recipeWith = (models: typeof recipe.models) => ({ ...recipe, models: { ...recipe.models, ...models } })
const hashesOf = (id: string) => Promise.resolve(here.get(id)!)

test('nothing to say where the same weights are', async () => {
  expect(missingModels(recipe, models)).toEqual([])
  expect(await changedModels(recipe, models, hashesOf)).toEqual([])
})

test('a model that is not here, and its weights are not asked for', async () => {
  expect(missingModels(recipe, [aModel()])).toEqual([expect.stringContaining('“Motion” is not here')])
  const asked: string[] = []
  await changedModels(recipe, [aModel()], (id) => (asked.push(id), hashesOf(id)))
  expect(asked).toEqual([model.id])
})

test('a LoRA that is not here', () => {
  const night = { id: 'night', name: 'Night', sha256: {} }
  expect(missingModels(recipeWith({ loras: [night] }), models)).toEqual([
    expect.stringContaining('“Night” is not here'),
  ])
})

test.each([
  ['other weights', { 'unet.safetensors': 'c'.repeat(64) }],
  ['a file more', { ...model.sha256, 'more.safetensors': 'c'.repeat(64) }],
])('%s under the same id', async (_, sha256) => {
  const other = recipeWith({ model: [{ ...model, sha256 }] })
  expect(await changedModels(other, models, hashesOf)).toEqual([
    expect.stringContaining('“Shapes” here has other weights'),
  ])
})

test('a recipe without hashes says nothing about them', async () => {
  const other = recipeWith({ model: [{ ...model, sha256: {} }] })
  expect(await changedModels(other, models, hashesOf)).toEqual([])
})
