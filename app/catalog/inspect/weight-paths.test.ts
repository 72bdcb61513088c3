import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { GraphBuilder, optimize, runPasses, type Graph, type Node } from '#app/graph/index.ts'
import { exactly, fastPasses } from '#app/graph/targets.ts'
import { classNameOf } from '#app/models/classes.ts'
import { auditOf } from './known-models.ts'

/** Every graph that auditing the weights builds, ended in what nothing reads. */
function graphsOf(architecture: string, config: Record<string, unknown>, weights: Weights): Graph[] {
  const builders = new Set<GraphBuilder>()
  const input = vi.spyOn(GraphBuilder.prototype, 'input')
  auditOf(architecture)!(config, weights)
  for (const builder of input.mock.contexts) builders.add(builder as GraphBuilder)
  vi.restoreAllMocks()
  return [...builders].map((builder) => {
    const { nodes } = builder.finish()
    const read = new Set(withBodies(nodes).flatMap(({ inputs, body }) => [...inputs, body?.output]))
    for (const value of nodes.flatMap(({ outputs }) => outputs)) if (!read.has(value)) builder.output(value.name, value)
    return builder.finish()
  })
}

const withBodies = (nodes: readonly Node[]): Node[] =>
  nodes.flatMap((node) => [node, ...withBodies(node.body?.nodes ?? [])])

/** Nodes that read a weight of one layer and stand under the path of another. */
function astray({ nodes, known }: Graph): string[] {
  return withBodies(nodes).flatMap(({ op, path, inputs }) =>
    inputs.flatMap((input) => {
      const of = input && known.get(input)
      if (!of || !('weight' in of)) return []
      const layer = of.weight.name.split('.').slice(0, -1).join('.')
      return layer === path ? [] : [`${op} at ${path} reads ${of.weight.name}`]
    }),
  )
}

const halved = (weights: Weights): Weights =>
  new Map([...weights].map(([key, weight]): [string, Weight] => [key, { ...weight, dtype: 'float16' }]))

const goldens = 'e2e/goldens/checkpoints'
const folders: Readonly<Record<string, readonly string[]>> = {
  AutoencoderKL: ['vae', 'AutoencoderKL-gelu'],
  CLIPTextModel: ['clip-text'],
  CLIPTextModelWithProjection: ['clip-text-projection'],
  CLIPVisionModelWithProjection: ['clip-vision-projection'],
  ControlNetModel: ['../pipelines/checkpoints/controlnet-tiny'],
  MotionAdapter: ['motion-adapter-a', 'motion-adapter-with-middle'],
  PixArtTransformer2DModel: ['pixart-sigma', 'pixart-alpha-1024'],
  PriorTransformer: ['prior-kandinsky', 'PriorTransformer-dims'],
  SparseControlNetModel: [
    '../pipelines/checkpoints/sparsectrl-scribble',
    '../pipelines/checkpoints/sparsectrl-simplified',
  ],
  T5EncoderModel: ['t5-encoder', 'T5EncoderModel-ff-gated-silu'],
  TimesformerForVideoClassification: ['timesformer-divided_space_time', 'timesformer-space_only'],
  TimesformerModel: ['TimesformerModel-joint-no-qkv-bias'],
  TransformerTemporalModel: ['temporal-motion', 'TransformerTemporalModel-double-enc'],
  UNet2DConditionModel: ['unet2d-sd', 'kandinsky-decoder', 'UNet2DConditionModel-add-text'],
  UNet3DConditionModel: ['unet3d'],
  UNetMotionModel: ['unet-motion-sd', 'unet-motion-sdxl', 'unet-motion-deep'],
  VQModel: ['movq'],
}

describe('a node that reads a weight stands under the path of the weight, as it is built and as it runs', () => {
  for (const [architecture, names] of Object.entries(folders))
    test.each(names)(`${architecture} %s`, async (name) => {
      const { config, weights } = await openCheckpoint(join(goldens, name))
      expect(classNameOf(config)).toBe(architecture)
      const graphs = [weights, halved(weights)].flatMap((all) => graphsOf(architecture, config, all))
      for (const graph of graphs) {
        expect(astray(graph)).toEqual([])
        expect(astray(optimize(graph))).toEqual([])
        const winograd = fastPasses(() => ({ ...exactly, convolution: () => 'winograd4' }))
        expect(astray(await runPasses(graph, winograd))).toEqual([])
      }
    })
})
