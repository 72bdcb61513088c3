import type { Weight } from '#app/checkpoints/weights.ts'
import type { Graph } from './graph.ts'
import { dropDead } from './passes/drop-dead.ts'
import { toHalf } from './passes/half.ts'
import { int8Weights, toInt8, type EightBit } from './passes/int8.ts'
import { lateShapes } from './passes/late-shapes.ts'
import { linearProducts } from './passes/linear-products.ts'
import { narrowLookups } from './passes/lookups.ts'
import { attentionKernels, type AttentionKernel, type AttentionShape } from './passes/plain-attention.ts'
import { replaceNodes } from './passes/replace-nodes.ts'
import { reshapedWeights } from './passes/reshaped-weights.ts'
import type { Pass } from './passes/run-passes.ts'
import { shareCommon } from './passes/share-common.ts'
import { sinkReshapes } from './passes/sink-reshapes.ts'
import { splitProducts } from './passes/split-products.ts'
import { winograd, type ConvKernel, type ConvShape } from './passes/winograd.ts'
import { built, fast, half, int8, late, verify } from './verify.ts'

/**
 * The compiler: what is done to a graph, as a model builds it, for each of the targets that it may run on, in order.
 * runPasses does it, and verifies that each pass leaves what is legal (verify.ts).
 */

/** The kernel for each convolution and each attention that has a choice. */
export type Choose = {
  readonly convolution: (shape: ConvShape) => ConvKernel
  readonly attention: (shape: AttentionShape) => AttentionKernel
}

/** The plain sums alone. */
export const exactly: Choose = { convolution: () => 'direct', attention: () => 'fused' }

const tidy = [
  {
    name: 'sink reshapes',
    why: 'onnxruntime takes an equal time to open each node, and of two reshapes that meet one is enough',
    run: sinkReshapes,
  },
  {
    name: 'share common work',
    why: 'each residual block, for one, applies the same activation to the same time embedding',
    run: shareCommon,
  },
  {
    name: 'drop dead nodes',
    why: 'the first of two reshapes, casts of weights that are not used and spare constants would be opened too',
    run: dropDead,
  },
] as const satisfies readonly Pass[]
const [, share, drop] = tidy

/** What all others are measured by: the arithmetic that the models say, in float32. */
export const referencePasses: readonly Pass[] = tidy

/** The same at once, for graphs that are compiled where nothing can wait. */
export function optimize(graph: Graph): Graph {
  const result = tidy.reduce((current, { run }) => run(current), graph)
  verify(result, 'after its passes', built)
  return result
}

/**
 * Float32 in the forms that onnxruntime's processor kernels are fast with. All but Winograd's convolutions do the same
 * arithmetic.
 */
export const fastPasses = (choose: (graph: Graph) => Choose | Promise<Choose>): readonly Pass[] => [
  {
    name: 'kernels',
    why: 'the fastest of several ways to the same result, as this machine measured them',
    run: async (graph) => {
      const { attention, convolution } = await choose(graph)
      const kernels = [attentionKernels(attention), splitProducts, winograd(convolution), linearProducts]
      return replaceNodes(graph, [...kernels, reshapedWeights])
    },
    legal: fast,
  },
  ...tidy,
]

/** What is known only where the graph runs. */
type HoldVectors = (graph: Graph) => Promise<Graph>

const heldVectors = (run: HoldVectors): Pass => ({
  name: 'hold vectors',
  why: 'to map a bias takes onnxruntime longer than to copy it, and to widen one is a node',
  run,
})

const lookups = {
  name: 'look up, then widen',
  why: 'a table of words in half precision is larger widened than all layers: 526 MB of a T5-XXL',
  run: (graph: Graph) => replaceNodes(graph, [narrowLookups]),
}

const shapesLate = {
  name: 'late shapes',
  why: 'where onnxruntime knows shapes ahead, tensors keep memory until a later one of their shape has used it',
  run: lateShapes,
}

export const cpuFloat32Passes = (machine: {
  readonly holdVectors: HoldVectors
  readonly choose: (graph: Graph) => Choose | Promise<Choose>
}): readonly Pass[] => [
  heldVectors(machine.holdVectors),
  ...fastPasses(machine.choose),
  { ...lookups, legal: { ...fast, halfPrecision: true } },
  { ...shapesLate, legal: late(fast) },
]

export const cpuInt8Passes = (machine: {
  readonly holdVectors: HoldVectors
  readonly eightBit: (weights: readonly Weight[]) => Promise<ReadonlyMap<Weight, EightBit>>
}): readonly Pass[] => [
  heldVectors(machine.holdVectors),
  ...tidy,
  {
    name: 'split products',
    why: 'to cut the result of a joined product copies the largest tensor of its layer',
    run: (graph) => replaceNodes(graph, [splitProducts]),
  },
  {
    name: 'products in 8 bits',
    why: 'three to four times as fast on a processor with 8-bit dot products',
    run: async (graph) => toInt8(graph, await machine.eightBit(int8Weights(graph))),
    legal: int8,
  },
  { ...share, why: 'layers that read the same tensor quantize it alike' },
  { ...lookups, legal: { ...int8, halfPrecision: true } },
  { ...shapesLate, legal: late(int8) },
]

const plainAttention: Pass = {
  name: 'plain attention',
  why: "WebGPU's own operator is wrong on some devices (onnxruntime pull request 28520)",
  run: (graph) => replaceNodes(graph, [attentionKernels(() => 'plain')]),
}

export const gpuFloat32Passes = (machine: { readonly fusedAttentionIsRight: boolean }): readonly Pass[] => [
  ...tidy,
  ...(machine.fusedAttentionIsRight ? [] : [plainAttention]),
]

export const gpuFloat16Passes = (machine: { readonly fusedAttentionIsRight: boolean }): readonly Pass[] => [
  ...gpuFloat32Passes(machine),
  { name: 'half precision', why: 'graphics processors are fastest with it', run: toHalf, legal: half },
  { ...share, why: 'a tensor that several layers read is narrowed once' },
  { ...drop, why: 'weights in half precision need no widening any more' },
]
