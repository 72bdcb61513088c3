import type { Graph } from '#app/graph/index.ts'
import { toHalf } from '#app/graph/passes/half.ts'
import { int8Weights, toInt8 } from '#app/graph/passes/int8.ts'
import { splitProducts } from '#app/graph/passes/split-products.ts'
import { eightBitWeights } from '../quantize/quantize-cache.ts'
import type { Precision } from './compute.ts'
import { weightBits } from './weight-bits.ts'

/** The graph in that precision. 8-bit weights are made once and then read from their cache. */
export async function lower(graph: Graph, precision: Precision): Promise<Graph> {
  switch (precision) {
    case 'float32':
      return graph
    case 'float16':
      return toHalf(graph)
    case 'int8': {
      const split = splitProducts(graph)
      return toInt8(split, await eightBitWeights(int8Weights(split), await weightBits()))
    }
  }
}
