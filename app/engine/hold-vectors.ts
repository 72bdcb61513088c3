import { withFile } from '#app/checkpoints/file.ts'
import { readWeight, toFloat32 } from '#app/checkpoints/read.ts'
import type { Weight, WeightSource } from '#app/checkpoints/weights.ts'
import type { Graph, Value } from '#app/graph/index.ts'
import { substitute } from '#app/graph/passes/rewrite.ts'

/** Longer ones are tables. */
const mostElements = 16_384

/** Vectors in memory, as long as the checkpoint that they are of is open. */
const held = new WeakMap<WeightSource, Weight>()

/**
 * The graph with the biases and scales of a checkpoint as float32 in memory, a few megabytes for a UNet: to map one takes onnxruntime
 * longer than to copy it, and one in half precision would be a node of its own. They are read once; `onRead`
 * hears of how many bytes. Throws as `withFile` does.
 */
export async function holdVectors(graph: Graph, onRead: (bytes: number) => void): Promise<Graph> {
  const vectors = new Map<Value, Weight>()
  const add = (value: Value, of: Value): void => {
    const known = graph.known.get(of)
    if (!known || !('weight' in known) || !('file' in known.weight.source) || value.dtype !== 'float32') return
    if (value.shape.length === 1 && value.shape[0]! <= mostElements) vectors.set(value, known.weight)
  }
  for (const value of graph.known.keys()) add(value, value)
  for (const { op, inputs, outputs } of graph.nodes) if (op === 'Cast') add(outputs[0]!, inputs[0]!)
  if (vectors.size === 0) return graph
  const missing = [...vectors.values()].filter(({ source }) => !held.has(source))
  await hold(missing)
  onRead(missing.reduce((sum, { source }) => sum + ('file' in source ? source.length : 0), 0))
  const { builder } = graph.outputs[0]!.value
  const replacement = new Map([...vectors].map(([value, { source }]) => [value, builder.weight(held.get(source)!)]))
  const nodes = graph.nodes.filter(({ outputs }) => !replacement.has(outputs[0]!))
  return substitute({ ...graph, known: builder.known }, nodes, replacement)
}

async function hold(weights: readonly Weight[]): Promise<void> {
  const files = new Set(weights.map(({ source }) => ('file' in source ? source.file : '')))
  for (const file of files)
    await withFile(file, async (opened) => {
      for (const weight of weights) {
        const { source } = weight
        if (!('file' in source) || source.file !== file) continue
        const bytes = await opened.read(source.offset, source.length)
        const { data } = toFloat32(await readWeight({ ...weight, source: { bytes } }))
        const values = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        held.set(source, { ...weight, dtype: 'float32', source: { bytes: values } })
      }
    })
}
