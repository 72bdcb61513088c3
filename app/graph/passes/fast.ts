import type { Graph } from '../graph.ts'
import { reshapedWeights } from './reshaped-weights.ts'
import { rowBlocks } from './row-blocks.ts'
import { runPasses } from './run-passes.ts'
import { shareCommon } from './share-common.ts'
import { sinkReshapes } from './sink-reshapes.ts'
import { splitProducts } from './split-products.ts'
import { winograd, type ConvKernel, type ConvShape } from './winograd.ts'

/**
 * The graph in the forms that onnxruntime's processor kernels are fast with, in float32. All but Winograd's convolutions, which
 * `convolution` chooses, do the same arithmetic as before. Verified.
 */
export function toFast(graph: Graph, convolution: (shape: ConvShape) => ConvKernel): Graph {
  return runPasses(graph, [
    { name: 'split products', run: splitProducts },
    { name: 'convolutions', run: (current) => winograd(current, convolution) },
    { name: 'blocks of rows', run: rowBlocks },
    { name: 'sink reshapes', run: (current) => shareCommon(sinkReshapes(reshapedWeights(current))) },
  ])
}
