import type { Graph } from '../graph.ts'
import { verify } from '../verify.ts'
import { mergeReshapes } from './merge-reshapes.ts'
import { dropDead } from './drop-dead.ts'
import { rowBlocks } from './row-blocks.ts'
import { splitProducts } from './split-products.ts'
import { winograd, type ConvKernel, type ConvShape } from './winograd.ts'

/**
 * The graph in the forms that onnxruntime's processor kernels are fast with, in float32. All but Winograd's convolutions, which
 * `convolution` chooses, do the same arithmetic as before. Verified.
 */
export function toFast(graph: Graph, convolution: (shape: ConvShape) => ConvKernel): Graph {
  const passes: readonly (readonly [name: string, run: (graph: Graph) => Graph])[] = [
    ['split products', splitProducts],
    ['convolutions', (current) => winograd(current, convolution)],
    ['blocks of rows', rowBlocks],
    ['merge reshapes', (current) => dropDead(mergeReshapes(current))],
  ]
  return passes.reduce((current, [name, run]) => {
    const next = run(current)
    verify(next, `after "${name}"`)
    return next
  }, graph)
}
