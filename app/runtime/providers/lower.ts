import type { ComputeKind } from '#app/contract/compute.ts'
import { optimize, type Graph } from '#app/graph/index.ts'
import { toHalf } from '#app/graph/passes/half.ts'
import { int8Weights, toInt8 } from '#app/graph/passes/int8.ts'
import { plainAttention } from '#app/graph/passes/plain-attention.ts'
import { replaceNodes } from '#app/graph/passes/replace-nodes.ts'
import { splitProducts } from '#app/graph/passes/split-products.ts'
import { eightBitWeights, type OnQuantizing } from '../quantize/quantize-cache.ts'
import { fusedAttentionIsRight } from './attention-check.ts'
import { weightBits } from './weight-bits.ts'

/** The graph as the provider computes it rightly, in that precision. 8-bit weights are made once and then read from their cache. */
export async function lower(
  graph: Graph,
  { provider, precision }: ComputeKind,
  onQuantizing?: OnQuantizing,
): Promise<Graph> {
  const optimized = optimize(graph)
  const whole = (await fusedAttentionIsRight(provider)) ? optimized : plainAttention(optimized)
  switch (precision) {
    case 'float32':
      return whole
    case 'float16':
      return toHalf(whole)
    case 'int8': {
      const split = replaceNodes(whole, splitProducts(whole))
      return toInt8(split, await eightBitWeights(int8Weights(split), await weightBits(), { onQuantizing }))
    }
  }
}
