import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import type { AttnProcessor } from '#app/contract/attn-processors.ts'
import { AttnProcessors } from './attn-processors.ts'

const checkpoints = join(import.meta.dirname, '../../e2e/goldens/checkpoints')
const motion = await openCheckpoint(join(checkpoints, 'unet-motion-sd'))
const decoder = await openCheckpoint(join(checkpoints, 'kandinsky-decoder'))
const paths = JSON.parse(readFileSync(join(checkpoints, 'unet-motion-sd/attn_processors.json'), 'utf8')) as string[]
const customDiffusion = join(checkpoints, 'custom-diffusion/pytorch_custom_diffusion_weights.safetensors')

const everywhere = (processor: AttnProcessor): Record<string, AttnProcessor> =>
  Object.fromEntries(paths.map((path) => [path, processor]))

let processors: AttnProcessors
beforeEach(() => {
  processors = new AttnProcessors(motion.weights)
})

it("has diffusers' paths", () => {
  expect(new Set(Object.keys(processors.map))).toEqual(new Set(paths))
  expect(processors.map).toEqual(everywhere({ processor: 'AttnProcessor2_0' }))
})

it('takes one for all, or one for each', async () => {
  await processors.set({ processor: 'SlicedAttnProcessor', slice_size: 2 })
  expect(processors.map).toEqual(everywhere({ processor: 'SlicedAttnProcessor', slice_size: 2 }))
  const mixed = { ...processors.map, [paths[5]!]: { processor: 'AttnProcessor' } } as const
  await processors.set(mixed)
  expect(processors.map).toEqual(mixed)
})

it('names both counts, and the layer that is left out', async () => {
  const { [paths[3]!]: left, ...rest } = everywhere({ processor: 'AttnProcessor' })
  expect(left).toBeDefined()
  await expect(processors.set(rest)).rejects.toThrow(/33 .* 34/)
  await expect(processors.set({ ...rest, elsewhere: left! })).rejects.toThrow(paths[3]!)
  await expect(processors.set({ processor: 'SlicedAttnProcessor', slice_size: 0 })).rejects.toThrow(
    'SlicedAttnProcessor',
  )
})

it('refuses a processor for a model that has no layers for it', async () => {
  const other = new AttnProcessors(new Map())
  await expect(other.set({ processor: 'AttnProcessor' })).rejects.toThrow('no attention layers')
})

it('goes back to what was before the fusion', async () => {
  await processors.set({ processor: 'AttnProcessor' })
  processors.fuse()
  expect(processors.map).toEqual(everywhere({ processor: 'FusedAttnProcessor2_0' }))
  expect(() => {
    processors.setDefault()
  }).toThrow('FusedAttnProcessor2_0')
  processors.unfuse()
  expect(processors.map).toEqual(everywhere({ processor: 'AttnProcessor' }))
})

it('goes back to the default from plain processors only', async () => {
  for (const processor of ['LoRAAttnProcessor', 'CustomDiffusionAttnProcessor', 'FusedAttnProcessor2_0'] as const) {
    await processors.set({ ...processors.map, [paths[3]!]: { processor } })
    expect(() => processors.setDefault()).toThrow(processor)
  }
  await processors.set({ processor: 'SlicedAttnProcessor', slice_size: 2 })
  processors.setDefault()
  expect(processors.map).toEqual(everywhere({ processor: 'AttnProcessor' }))
})

it('adds the weights that Custom Diffusion trained, and takes them away', async () => {
  await processors.set({ processor: 'CustomDiffusionAttnProcessor', weights: customDiffusion })
  const completed = processors.completed(motion.weights)
  expect(completed.size).toBe(motion.weights.size + 30)
  await processors.set({ processor: 'AttnProcessor' })
  expect(processors.completed(motion.weights)).toBe(motion.weights)
})

it('refuses a Custom Diffusion file of another model, and keeps what it had', async () => {
  const other = new AttnProcessors(decoder.weights)
  const before = other.map
  await expect(other.set({ processor: 'CustomDiffusionAttnProcessor', weights: customDiffusion })).rejects.toThrow(
    'down_blocks.0.attentions.0',
  )
  expect(other.map).toEqual(before)
})

it('knows layers with added keys and values', () => {
  const added = new AttnProcessors(decoder.weights)
  expect(new Set(Object.values(added.map).map(({ processor }) => processor))).toEqual(
    new Set(['AttnAddedKVProcessor2_0']),
  )
  expect(() => {
    added.fuse()
  }).toThrow('added')
  added.setDefault()
  expect(new Set(Object.values(added.map).map(({ processor }) => processor))).toEqual(new Set(['AttnAddedKVProcessor']))
})
