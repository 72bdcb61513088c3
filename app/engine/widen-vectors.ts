import { withFile } from '#app/checkpoints/file.ts'
import { readWeight, toFloat32 } from '#app/checkpoints/read.ts'
import type { Weight, WeightSource } from '#app/checkpoints/weights.ts'
import type { Graph, Value } from '#app/graph/index.ts'
import { substitute } from '#app/graph/passes/rewrite.ts'

/** Longer ones are tables. */
const mostElements = 16_384

/** Vectors that were widened, as long as the checkpoint that they are of is open. */
const widened = new WeakMap<WeightSource, Weight>()

/**
 * The graph with the biases and scales of a checkpoint in half precision as float32 in memory, a few megabytes for a UNet: each would
 * be a node that onnxruntime opens and runs. They are read once. Throws as `withFile` does.
 */
export async function widenVectors(graph: Graph): Promise<Graph> {
  const vectors = new Map<Value, Weight>()
  for (const { op, inputs, outputs } of graph.nodes) {
    const known = op === 'Cast' ? graph.known.get(inputs[0]!) : undefined
    const [output] = outputs as [Value]
    if (!known || !('weight' in known) || !('file' in known.weight.source) || output.dtype !== 'float32') continue
    if (output.shape.length === 1 && output.shape[0]! <= mostElements) vectors.set(output, known.weight)
  }
  if (vectors.size === 0) return graph
  await widen([...vectors.values()].filter(({ source }) => !widened.has(source)))
  const { builder } = graph.outputs[0]!.value
  const replacement = new Map([...vectors].map(([value, { source }]) => [value, builder.weight(widened.get(source)!)]))
  const nodes = graph.nodes.filter(({ outputs }) => !replacement.has(outputs[0]!))
  return substitute({ ...graph, known: builder.known }, nodes, replacement)
}

async function widen(weights: readonly Weight[]): Promise<void> {
  const files = new Set(weights.map(({ source }) => ('file' in source ? source.file : '')))
  for (const file of files)
    await withFile(file, async (opened) => {
      for (const weight of weights) {
        const { source } = weight
        if (!('file' in source) || source.file !== file) continue
        const bytes = await opened.read(source.offset, source.length)
        const { data } = toFloat32(await readWeight({ ...weight, source: { bytes } }))
        const values = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        widened.set(source, { ...weight, dtype: 'float32', source: { bytes: values } })
      }
    })
}
