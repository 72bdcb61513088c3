import type { ComputeKind } from '#app/contract/compute.ts'
import { runPasses, type Graph } from '#app/graph/index.ts'
import type { Pass } from '#app/graph/passes/run-passes.ts'
import {
  cpuFloat32Passes,
  cpuInt8Passes,
  gpuFloat16Passes,
  gpuFloat32Passes,
  referencePasses,
  type Choose,
} from '#app/graph/targets.ts'
import { eightBitWeights, type OnQuantizing } from '../quantize/quantize-cache.ts'
import { requireSound, weightsOf } from '../sound-weights.ts'
import { fusedAttentionIsRight } from './attention-check.ts'
import { weightBits } from './weight-bits.ts'

export type LowerOptions = {
  readonly holdVectors?: (graph: Graph) => Promise<Graph>
  /** Kernels for float32 on the processor: without it as the reference computes. */
  readonly choose?: ((graph: Graph) => Choose | Promise<Choose>) | undefined
  readonly onQuantizing?: OnQuantizing | undefined
}

/**
 * The graph as the provider computes it rightly, in that precision. 8-bit weights are made once and then read from
 * their cache. Throws not-finite naming file and key of a weight that 8 bits would hide.
 */
export async function lower(graph: Graph, compute: ComputeKind, options: LowerOptions = {}): Promise<Graph> {
  const lowered = await runPasses(graph, await passesFor(compute, options))
  // What is not in 8 bits itself goes through products that are, and those round NaN away: it would never be seen.
  if (compute.precision === 'int8') await requireSound(weightsOf(lowered))
  return lowered
}

async function passesFor(
  { provider, precision }: ComputeKind,
  { holdVectors = (graph) => Promise.resolve(graph), choose, onQuantizing }: LowerOptions,
): Promise<readonly Pass[]> {
  switch (precision) {
    case 'int8':
      return cpuInt8Passes({
        holdVectors,
        eightBit: async (weights) => eightBitWeights(weights, await weightBits(), { onQuantizing }),
      })
    case 'float16':
      return gpuFloat16Passes({ fusedAttentionIsRight: await fusedAttentionIsRight(provider) })
    case 'float32':
      if (provider !== 'cpu') return gpuFloat32Passes({ fusedAttentionIsRight: await fusedAttentionIsRight(provider) })
      return choose ? cpuFloat32Passes({ holdVectors, choose }) : referencePasses
  }
}
