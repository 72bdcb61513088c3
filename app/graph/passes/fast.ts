import type { Graph } from '../graph.ts'
import { linearProducts } from './linear-products.ts'
import { attentionKernels, type AttentionKernel, type AttentionShape } from './plain-attention.ts'
import { passes } from './passes.ts'
import { replaceNodes } from './replace-nodes.ts'
import { reshapedWeights } from './reshaped-weights.ts'
import { runPasses } from './run-passes.ts'
import { splitProducts } from './split-products.ts'
import { winograd, type ConvKernel, type ConvShape } from './winograd.ts'

/** The kernel for each convolution and each attention that has a choice. */
export type Choose = {
  readonly convolution: (shape: ConvShape) => ConvKernel
  readonly attention: (shape: AttentionShape) => AttentionKernel
}

/** The plain sums alone. */
export const exactly: Choose = { convolution: () => 'direct', attention: () => 'fused' }

/**
 * The graph in the forms that onnxruntime's processor kernels are fast with, in float32. All but Winograd's convolutions do the same
 * arithmetic as before. Optimised too, and verified.
 */
export function toFast(graph: Graph, choose: Choose): Graph {
  const kernels = (current: Graph): Graph =>
    replaceNodes(
      current,
      attentionKernels(choose.attention),
      splitProducts(current),
      winograd(current, choose.convolution),
      linearProducts(current),
      reshapedWeights(current),
    )
  return runPasses(graph, [{ name: 'kernels', run: kernels }, ...passes])
}
