import { expect, test } from 'vitest'
import { testRecipe } from '#app/library/test-results.ts'
import { recipeSchema } from './recipe.ts'

const withAttention = (attnProcessor: unknown): unknown => {
  const recipe = testRecipe('a red circle')
  return { ...recipe, settings: { ...recipe.settings, attnProcessor } }
}
const parse = (recipe: unknown) => recipeSchema.safeParse(JSON.parse(JSON.stringify(recipe)))

test('a recipe keeps its processor map and its LoRAs', () => {
  const sha256 = { 'night.safetensors': 'ab'.repeat(32) }
  const map = {
    'mid_block.attentions.0.transformer_blocks.0.attn1.processor': { processor: 'SlicedAttnProcessor', slice_size: 4 },
    'mid_block.attentions.0.transformer_blocks.0.attn2.processor': { processor: 'AttnProcessor' },
  } as const
  const recipe = testRecipe('a red circle')
  const full = {
    ...recipe,
    settings: { ...recipe.settings, attnProcessor: map, loras: [{ id: 'night', scale: 0.5 }] },
    models: { ...recipe.models, loras: [{ id: 'night', name: 'night', sha256 }] },
  }
  expect(parse(full).data).toEqual(full)
  expect(parse(withAttention(map['mid_block.attentions.0.transformer_blocks.0.attn1.processor'])).success).toBe(true)
  expect(parse(withAttention({ processor: 'CustomDiffusionAttnProcessor', weights: 'my--dog' })).success).toBe(true)
})

test('recipes of version 1 say the same in version 2', () => {
  const { models, ...recipe } = testRecipe('a red circle')
  const [model, motionAdapter] = [models.model![0], models.motionAdapter![0]]
  const first = { ...recipe, frameloom: 1, model, motionAdapter, loras: [], customDiffusion: [] }
  expect(parse(first).data).toEqual(testRecipe('a red circle'))
  expect(parse({ ...first, motionAdapter: null }).data?.models.motionAdapter).toEqual([])
  // Before there were LoRAs and processors.
  const { loras: _, customDiffusion: _c, settings, ...old } = first
  const { attnProcessor: __, loras: ___, loraChanges: _l, fuseQkv: _f, ...oldSettings } = settings
  expect(parse({ ...old, settings: oldSettings }).data).toEqual(testRecipe('a red circle'))
})

test.each([
  [{ processor: 'SlicedAttnProcessor' }],
  [{ processor: 'SlicedAttnProcessor', slice_size: 0 }],
  [{ processor: 'NoSuchProcessor' }],
  [{ 'mid_block.attn1.processor': 'AttnProcessor' }],
  [{ processor: 'CustomDiffusionAttnProcessor', weights: '/etc/passwd' }],
  [{ 'mid_block.attn1.processor': { processor: 'CustomDiffusionAttnProcessor', weights: 'models/secret.bin' } }],
])('%j is no processor that settings may name', (attnProcessor) => {
  expect(parse(withAttention(attnProcessor)).success).toBe(false)
})
