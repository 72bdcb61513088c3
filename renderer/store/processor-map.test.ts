import { expect, test } from 'vitest'
import type { AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { choiceOf, differing, groupsOf, layerName, menuKey, menuOf, sameChoice, spread } from './processor-map.ts'
import { aLora } from './testing.ts'

const fused = { processor: 'AttnProcessor2_0' } as const
const plain = { processor: 'AttnProcessor' } as const
const sliced = { processor: 'SlicedAttnProcessor', slice_size: 2 } as const
const up = 'up_blocks.1.attentions.0.transformer_blocks.0.attn1.processor'
const down = 'down_blocks.0.motion_modules.1.transformer_blocks.0.attn2.processor'
const mid = 'mid_block.attentions.0.transformer_blocks.0.attn1.processor'
const defaults: AttnProcessorMap = { [up]: fused, [down]: fused, [mid]: fused }

test('layers are grouped as a picture passes through them, with short names', () => {
  expect(groupsOf([up, down, mid, 'extra.attn.processor'])).toEqual([
    { title: 'Down 1, motion', paths: [down] },
    { title: 'Middle, picture', paths: [mid] },
    { title: 'Up 2, picture', paths: [up] },
    { title: 'Other layers', paths: ['extra.attn.processor'] },
  ])
  expect([up, down, mid].map(layerName)).toEqual([
    'attentions.0.0.attn1',
    'motion_modules.1.0.attn2',
    'attentions.0.0.attn1',
  ])
})

test('a choice is spread over the layers of the model, and comes back as short as it can be', () => {
  expect(spread(null, defaults)).toEqual({ map: defaults, strangers: 0 })
  const all = spread(sliced, defaults).map
  expect(Object.values(all)).toEqual([sliced, sliced, sliced])
  expect(choiceOf(all, defaults)).toEqual(sliced)
  expect(choiceOf({ ...defaults }, defaults)).toBeNull()
  const one = { ...defaults, [mid]: plain }
  expect(differing(one, defaults)).toEqual([mid])
  expect(choiceOf(one, defaults)).toBe(one)
  expect(spread({ [mid]: plain, 'gone.processor': sliced }, defaults)).toEqual({ map: one, strangers: 1 })
})

test('choices are the same whatever the order of their keys', () => {
  expect(
    sameChoice(
      { [up]: plain, [mid]: sliced },
      { [mid]: { slice_size: 2, processor: 'SlicedAttnProcessor' }, [up]: plain },
    ),
  ).toBe(true)
  expect(sameChoice({ [up]: plain }, { [up]: plain, [mid]: plain })).toBe(false)
  expect(sameChoice(plain, plain)).toBe(true)
  expect(sameChoice(plain, { [up]: plain })).toBe(false)
  expect([sameChoice(null, null), sameChoice(null, plain)]).toEqual([true, false])
})

test('the menu has what fits the layer, and Custom Diffusion weights by their name', () => {
  const dog = aLora({ id: 'dog-1', name: 'Dog', kind: 'custom-diffusion' })
  const menu = menuOf(fused, [aLora(), dog])
  expect(menu.map(({ label }) => label)).toEqual(['Fused', 'Plain steps', 'Sliced', 'Dog'])
  expect(menu.at(-1)?.processor).toEqual({ processor: 'CustomDiffusionAttnProcessor2_0', weights: 'dog-1' })
  expect(menu.map(({ key }) => key)).toContain(menuKey(sliced))
  const added = menuOf({ processor: 'AttnAddedKVProcessor2_0' }, [dog])
  expect(added.every(({ processor }) => processor.processor.includes('AddedKV'))).toBe(true)
})
