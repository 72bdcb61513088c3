import { GraphBuilder, runPasses, slice, type Graph } from '#app/graph/index.ts'
import {
  attentionShape,
  needsSlices,
  type AttentionKernel,
  type AttentionShape,
} from '#app/graph/passes/plain-attention.ts'
import type { Shape, Tensor } from '#app/tensor/tensor.ts'
import { exactly, fastPasses } from '#app/graph/targets.ts'
import type { KernelFamily } from './kernels.ts'
import { measure } from './measure.ts'
import { normalValues } from './normal-values.ts'

/** With less to go through, any kernel takes a few milliseconds. */
const fewestBytes = 32 * 2 ** 20

/** Scores, queries, keys, values and results. */
const bytesOf = ({ batch, heads, queries, keys, headDim }: AttentionShape): number =>
  4 * batch * heads * (queries * keys + 2 * (queries + keys) * headDim)

/**
 * Attention that was not given a processor of its own: onnxruntime's operator, or plain ones on all or on part of the
 * batch.
 */
export const attention: KernelFamily<AttentionShape, AttentionKernel> = {
  kernels: ['fused', 'plain', 'sliced'],
  shapeOf(node) {
    const shape = attentionShape(node)
    return shape && bytesOf(shape) >= fewestBytes ? shape : undefined
  },
  keyOf: ({ batch, heads, queries, keys, headDim, biased }) =>
    `attention ${batch}x${heads}x${queries}x${keys}x${headDim}${biased ? ' biased' : ''}`,
  flops: ({ batch, heads, queries, keys, headDim }) => 4 * batch * heads * queries * keys * headDim,
  byRule: () => 'fused',
  async measure(shape, threads) {
    const kernels = this.kernels.filter((kernel) => kernel !== 'sliced' || needsSlices(shape))
    const graphs = await Promise.all(
      kernels.map(async (kernel) => [
        kernel,
        await runPasses(
          attentionGraph(shape),
          fastPasses(() => ({ ...exactly, attention: () => kernel })),
        ),
      ]),
    )
    const inputs = Object.fromEntries(
      Object.entries(inputShapes(shape)).map(([name, size], i): [string, Tensor] => [name, normalValues(size, i)]),
    )
    return measure(Object.fromEntries(graphs) as Record<AttentionKernel, Graph>, inputs, threads)
  },
}

function inputShapes({ batch, heads, queries, keys, headDim, biased }: AttentionShape): Record<string, Shape> {
  const memory = [batch, keys, heads * headDim]
  return {
    query: [batch, queries, heads * headDim],
    key: memory,
    value: memory,
    ...(biased && { bias: [1, 1, queries, keys] }),
  }
}

function attentionGraph(shape: AttentionShape): Graph {
  const builder = new GraphBuilder('attention')
  const [query, key, value, bias] = Object.entries(inputShapes(shape)).map(([name, size]) =>
    builder.input(name, 'float32', size),
  )
  const inputs = [query!, key!, value!, ...(bias ? [null, null, bias] : [])]
  const y = builder.emit('MultiHeadAttention', inputs, { num_heads: shape.heads })
  builder.output('y', slice(y, 0, 0, 1))
  return builder.finish()
}
