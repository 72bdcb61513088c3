import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { GraphBuilder, type Graph } from '#app/graph/index.ts'
import type { AttentionShape } from '#app/graph/passes/plain-attention.ts'
import type { ConvShape } from '#app/graph/passes/winograd.ts'
import { kernelByRule } from './conv-rule.ts'
import { machineKey } from './kernel-cache.ts'
import { attention } from './attention.ts'
import { convolution } from './convolution.ts'
import { Kernels } from './kernels.ts'

const shape: ConvShape = { batch: 2, input: 96, output: 96, height: 8, width: 8 }

function graphWith({ batch, input, output, height, width }: ConvShape): Graph {
  const builder = new GraphBuilder('convolution')
  const x = builder.input('x', 'float32', [batch, input, height, width])
  const w = builder.input('w', 'float32', [output, input, 3, 3])
  const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [1, 1] }
  builder.output('y', builder.emit('Conv', [x, w], attributes))
  return builder.finish()
}

const figures = (direct: number, winograd2: number, winograd4: number, error = 2e-6) => ({
  direct: { ms: direct, error: 0 },
  winograd2: { ms: winograd2, error: 5e-7 },
  winograd4: { ms: winograd4, error },
})

describe('kernel choices', () => {
  let folder: string
  beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), 'frameloom-kernels-'))))
  afterEach(() => rm(folder, { recursive: true, force: true }))
  const file = (): string => join(folder, 'cache', 'kernels.json')

  it('follow the rule without a file', async () => {
    const choose = await new Kernels().choose(graphWith(shape), 1, 10_000)
    expect(choose.convolution(shape)).toBe(kernelByRule(shape))
  })

  it('are measured once, kept by processor and shape, and read again', async () => {
    await new Kernels(file()).choose(graphWith(shape), 1, 10_000)
    const written = JSON.parse(await readFile(file(), 'utf8')) as Record<string, Record<string, unknown>>
    expect(Object.keys(written[machineKey(1)]!)).toEqual([convolution.keyOf(shape)])

    // Another process finds them, and measures nothing: its budget is 0.
    written[machineKey(1)]![convolution.keyOf(shape)] = figures(1, 100, 0.5)
    await writeFile(file(), JSON.stringify(written))
    expect((await new Kernels(file()).choose(graphWith(shape), 1, 0)).convolution(shape)).toBe('winograd4')
    expect((await new Kernels(file()).choose(graphWith(shape), 2, 0)).convolution(shape)).toBe(kernelByRule(shape))
  })

  it('are the fastest within the error budget, and the plain sum where little is won', async () => {
    const chosen = async (measured: ReturnType<typeof figures>): Promise<string> => {
      const path = join(folder, 'given.json')
      await writeFile(path, JSON.stringify({ [machineKey(1)]: { [convolution.keyOf(shape)]: measured } }))
      return (await new Kernels(path).choose(graphWith(shape), 1, 0)).convolution(shape)
    }
    expect(await chosen(figures(10, 8, 5))).toBe('winograd4')
    expect(await chosen(figures(10, 8, 5, 1e-4))).toBe('winograd2')
    expect(await chosen(figures(10, 9.5, 9.2))).toBe('direct')
  })

  it('survive a damaged file', async () => {
    const path = join(folder, 'damaged.json')
    await writeFile(path, '{"half')
    expect((await new Kernels(path).choose(graphWith(shape), 1, 0)).convolution(shape)).toBe(kernelByRule(shape))
  })

  it('rest on errors that are measured too', async () => {
    const measured = await convolution.measure(shape, 1)
    expect(measured['direct']!.error).toBe(0)
    expect(measured['winograd2']!.error).toBeLessThan(2e-6)
    expect(measured['winograd4']!.error).toBeLessThan(8e-6)
    expect(measured['winograd4']!.error).toBeGreaterThan(measured['winograd2']!.error)
  })

  it.each([false, true])(
    'of attention agree with each other (biased: %s), and the fastest is taken',
    async (biased) => {
      const queries: AttentionShape = { batch: 3, heads: 2, queries: 600, keys: 480, headDim: 8, biased }
      const measured = await attention.measure(queries, 1)
      expect(Object.keys(measured)).toEqual(['fused', 'plain', 'sliced'])
      for (const { error } of Object.values(measured)) expect(error).toBeLessThan(2e-6)

      const path = join(folder, 'given.json')
      const figures = { ...measured, plain: { ms: 0, error: 1e-7 } }
      await writeFile(path, JSON.stringify({ [machineKey(1)]: { [attention.keyOf(queries)]: figures } }))
      expect((await new Kernels(path).choose(graphWith(shape), 1, 0)).attention(queries)).toBe('plain')
      expect((await new Kernels().choose(graphWith(shape), 1, 0)).attention(queries)).toBe('fused')
    },
  )
})
