import { readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { expect, test } from 'vitest'
import { openWeightsFile } from '#app/checkpoints/open.ts'
import { loraSummary } from '#app/checkpoints/lora/summary.ts'
import { openLora } from '#app/checkpoints/lora/open-lora.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { conv2d, groupNorm, layerNorm, linear } from '#app/graph/index.ts'
import { required, type Inputs, type Model } from '#app/models/model.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from './loaded-model.ts'

// Made in NumPy by LyCORIS' and PEFT's formulas in double precision: a linear layer, a convolution and two norms, a
// LoRA of each kind for them, and what they make at the scales 1 and 0.6.
const folder = join(import.meta.dirname, '../../e2e/goldens/lora-kinds')
const at = (name: string): string => join(folder, `${name}.safetensors`)

const fourLayers = {
  className: 'FourLayers',
  config: z.object({}),
  methods: {
    forward: {
      build(scope, _: unknown, inputs: Inputs<'x' | 'image'>) {
        const [x, image] = [required(inputs, 'x'), required(inputs, 'image')]
        return {
          linear: linear(scope.at('proj'), x, 16),
          conv: conv2d(scope.at('conv'), image, 16, { padding: 1 }),
          norm: layerNorm(scope.at('norm'), x),
          group: groupNorm(scope.at('group'), image, 3, 1e-5),
        }
      },
      inputsFor: () => ({ x: { dtype: 'float32', shape: [5, 12] }, image: { dtype: 'float32', shape: [1, 12, 6, 5] } }),
    },
  },
} satisfies Model<object>

const outputs = ['linear', 'conv', 'norm', 'group'] as const

async function numbers(): Promise<Record<string, Tensor<'float32'>>> {
  const { weights } = await openWeightsFile(at('numbers'))
  const read = [...weights.values()].map(async (weight) => [weight.name, toFloat32(await readWeight(weight))] as const)
  return Object.fromEntries(await Promise.all(read))
}

const apart = (a: Tensor<'float32'>, b: Tensor<'float32'>): number =>
  Math.max(...a.data.map((value, i) => Math.abs(value - b.data[i]!)))

const files = readdirSync(folder).map((file) => basename(file, '.safetensors'))
test.each(files.filter((name) => name !== 'base' && name !== 'numbers'))(
  '%s changes layers as LyCORIS does, at each scale, and not at all at 0',
  async (name) => {
    const expected = await numbers()
    const { weights } = await openWeightsFile(at('base'))
    const sessions = new SessionCache()
    const model = new LoadedModel(fourLayers, {}, weights, sessions)
    await model.loadLora(at(name), { name })
    const inputs = { x: expected.x!, image: expected.image! }
    const compare = async (scale: number, prefix: string): Promise<number> => {
      model.setLoraScale(name, scale)
      const made = await model.run('forward', inputs)
      return Math.max(...outputs.map((output) => apart(toFloat32(made[output]), expected[`${prefix}.${output}`]!)))
    }
    expect(await compare(1, `${name}.1`)).toBeLessThan(2e-5)
    const { compilations } = sessions.stats()
    expect(await compare(0.6, `${name}.0.6`)).toBeLessThan(2e-5)
    // The reference of both that none passes by doing nothing.
    expect(await compare(0.6, `${name}.1`)).toBeGreaterThan(0.05)
    expect(await compare(1, 'base')).toBeGreaterThan(0.05)
    // PEFT sets the lengths in full at any scale (peft/tuners/lora/dora.py).
    if (name !== 'dora-peft') expect(await compare(0, 'base')).toBeLessThan(2e-5)
    expect(sessions.stats().compilations).toBe(compilations)
  },
)

test.each([
  ['locon', { kinds: ['LoCon'], ranks: [4] }],
  ['loha-dora', { kinds: ['LoHa with DoRA'], ranks: [4] }],
  ['lokr-core', { kinds: ['LoKr'], ranks: [2, 3] }],
  ['dora', { kinds: ['DoRA', 'LoCon with DoRA'], ranks: [4] }],
  ['full', { kinds: ['full difference', 'norms'], ranks: [] }],
  ['boft', { kinds: ['BOFT'], ranks: [] }],
])('kinds and ranks of %s', async (name, summary) => {
  expect(loraSummary(await openLora(at(name)))).toEqual(summary)
})
