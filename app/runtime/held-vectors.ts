import { stat } from 'node:fs/promises'
import { withFile } from '#app/checkpoints/file.ts'
import { readWeight, toFloat32 } from '#app/checkpoints/read.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import type { Graph, Value } from '#app/graph/index.ts'
import { substitute } from '#app/graph/passes/rewrite.ts'
import { isSound } from '#app/tensor/finite.ts'
import { damaged } from './sound-weights.ts'

/** Longer ones are tables. */
const mostElements = 16_384
/** Of so many files: the least recently used one is let go first. */
const mostFiles = 16

/** The vectors of one state of a file, by where they lie in it. */
type Held = { readonly state: string; readonly at: Map<number, Weight> }

/**
 * The biases and scales of checkpoints as float32 in memory, a few megabytes for a UNet, read once for each state of a
 * file.
 */
export class HeldVectors {
  readonly #files = new Map<string, Held>()

  /**
   * The graph with such vectors in the place of ranges of files: to map one takes onnxruntime longer than to copy it,
   * and one in half precision would be a node of its own. `onRead` hears of how many bytes were read. Throws
   * not-finite naming file and key, and as `withFile` does.
   */
  async inGraph(graph: Graph, onRead: (bytes: number) => void): Promise<Graph> {
    const vectors = new Map<Value, Vector>()
    const add = (value: Value, of: Value): void => {
      const known = graph.known.get(of)
      if (!known || !('weight' in known) || !('file' in known.weight.source) || value.dtype !== 'float32') return
      const { source } = known.weight
      if (value.shape.length === 1 && value.shape[0]! <= mostElements)
        vectors.set(value, { ...source, weight: known.weight })
    }
    for (const value of graph.known.keys()) add(value, value)
    for (const { op, inputs, outputs } of graph.nodes) if (op === 'Cast') add(outputs[0]!, inputs[0]!)
    if (vectors.size === 0) return graph

    const { builder } = graph.outputs[0]!.value
    const replacement = new Map<Value, Value>()
    for (const file of new Set([...vectors.values()].map((vector) => vector.file))) {
      const inFile = [...vectors].filter(([, vector]) => vector.file === file)
      const held = await this.#of(file)
      const missing = inFile.map(([, vector]) => vector).filter(({ offset }) => !held.at.has(offset))
      if (missing.length > 0) onRead(await read(file, missing, held))
      for (const [value, { offset }] of inFile) replacement.set(value, builder.weight(held.at.get(offset)!, value.path))
    }
    const nodes = graph.nodes.filter(({ outputs }) => !replacement.has(outputs[0]!))
    return substitute({ ...graph, known: builder.known }, nodes, replacement)
  }

  async #of(file: string): Promise<Held> {
    const found = await stat(file).catch(() => undefined) // who reads it says what is wrong
    const state = found ? `${found.size} ${found.mtimeMs}` : 'gone'
    const before = this.#files.get(file)
    const held = before?.state === state ? before : { state, at: new Map<number, Weight>() }
    this.#files.delete(file)
    this.#files.set(file, held)
    if (this.#files.size > mostFiles) this.#files.delete([...this.#files.keys()][0]!)
    return held
  }
}

type Vector = { readonly file: string; readonly offset: number; readonly length: number; readonly weight: Weight }

/** Adds vectors of a file to those that are held. The bytes that were read. */
async function read(file: string, vectors: readonly Vector[], { at }: Held): Promise<number> {
  await withFile(file, async (opened) => {
    for (const { weight, offset, length } of vectors) {
      const bytes = await opened.read(offset, length)
      const vector = toFloat32(await readWeight({ ...weight, source: { bytes } }))
      if (!isSound(vector)) throw damaged(weight)
      const { data } = vector
      const values = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
      at.set(offset, { ...weight, dtype: 'float32', source: { bytes: values } })
    }
  })
  return vectors.reduce((sum, { length }) => sum + length, 0)
}
