import { expect, test } from 'vitest'
import { testClassification, testRecipe } from '../library/test-results.ts'
import { computeSchema, defaultCompute } from './compute.ts'
import { recipeSchema } from './recipe.ts'
import { resultSchema } from './results.ts'

const without = <T extends object>({ compute: _, ...settings }: T & { compute?: unknown }) => settings

test('a recipe keeps what the clip was computed on', () => {
  const recipe = testRecipe('a red circle')
  const int8 = { ...recipe, settings: { ...recipe.settings, compute: { ...defaultCompute, precision: 'int8' } } }
  expect(recipeSchema.parse(JSON.parse(JSON.stringify(int8)))).toEqual(int8)
})

test('recipes and classifications from before there was a choice are of the processor, in float32', () => {
  const recipe = testRecipe('a red circle')
  expect(recipeSchema.parse({ ...recipe, settings: without(recipe.settings) })).toEqual(recipe)
  const classified = testClassification('x', 'clip.mp4')
  expect(resultSchema.parse({ ...classified, settings: without(classified.settings) })).toEqual(classified)
})

test.each([
  [
    { provider: 'cpu', precision: 'float16', exact: false },
    'the processor does not compute in float16; choose float32 or int8.',
  ],
  [
    { provider: 'webgpu', precision: 'int8', exact: false },
    'WebGPU does not compute in int8; choose float32 or float16.',
  ],
  [
    { provider: 'cpu', precision: 'int8', exact: true },
    'Exact is for float32: choose that precision, or leave exact out.',
  ],
])('%j is refused in words', (compute, message) => {
  expect(computeSchema.safeParse(compute).error?.issues.map((issue) => issue.message)).toEqual([message])
})
