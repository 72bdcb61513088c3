import { expect, test } from 'vitest'
import { attentionKind, attentionLabel, attentionOf, sliceSizeOf } from './attention.ts'

const sliced = { processor: 'SlicedAttnProcessor', slice_size: 4 } as const
const map = { 'a.processor': sliced, 'b.processor': { processor: 'AttnProcessor' } } as const

test.each([
  [null, '', 'Default'],
  [{ processor: 'AttnProcessor' }, 'AttnProcessor', 'AttnProcessor'],
  [{ processor: 'AttnProcessor2_0' }, 'AttnProcessor2_0', 'AttnProcessor2_0'],
  [sliced, 'SlicedAttnProcessor', 'SlicedAttnProcessor, 4 at a time'],
  [{ processor: 'XFormersAttnProcessor' }, 'custom', 'XFormersAttnProcessor'],
  [{ ...map, 'b.processor': sliced }, 'custom', 'Custom map (2 layers)'],
  [map, 'custom', 'Custom map (1 of 2 layers differs)'],
  [
    { ...map, 'c.processor': sliced, 'd.processor': { processor: 'AttnProcessor2_0' } },
    'custom',
    'Custom map (2 of 4 layers differ)',
  ],
] as const)('%j is in the menu as %j, in words %j', (choice, kind, label) => {
  expect(attentionKind(choice)).toBe(kind)
  expect(attentionLabel(choice)).toBe(label)
  // Choosing what is chosen already changes nothing.
  if (kind !== 'custom') expect(attentionOf(kind, choice)).toEqual(choice)
})

test('another choice takes the place of a map; sliced begins with one head at a time', () => {
  expect(attentionOf('', map)).toBeNull()
  expect(attentionOf('AttnProcessor', map)).toEqual({ processor: 'AttnProcessor' })
  expect(attentionOf('SlicedAttnProcessor', map)).toEqual({ processor: 'SlicedAttnProcessor', slice_size: 1 })
  const trained = { processor: 'CustomDiffusionAttnProcessor2_0', weights: 'my--dog' } as const
  expect(attentionOf('weights my--dog', map)).toEqual(trained)
  expect(attentionLabel(trained)).toBe('CustomDiffusionAttnProcessor2_0, weights my--dog')
  expect([sliceSizeOf(sliced), sliceSizeOf(map), sliceSizeOf(null)]).toEqual([4, undefined, undefined])
})
