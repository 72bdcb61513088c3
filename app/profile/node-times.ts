import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { z } from 'zod'

/** What onnxruntime measured of one node in one run. */
export type NodeTime = {
  /** Its place in the graph that was written; undefined for a node that onnxruntime added itself. */
  readonly index: number | undefined
  readonly milliseconds: number
}

/** One run: its nodes in the order in which they ran. What runs inside a loop counts as the loop. */
export type RunTimes = readonly NodeTime[]

const eventSchema = z.object({ cat: z.string(), name: z.string(), dur: z.number() })

/**
 * `path/Op_12`, with the place in a loop's body behind it: `path/Op_12_3`; fusions add a name of their own. See
 * onnx-writer.ts.
 */
const nodeName = /^(?:.*\/)?[A-Za-z0-9]+_(\d+)((?:_\d+)*)(?:\/.*)?_kernel_time$/

/** Reads a profile that onnxruntime wrote: a JSON list with one event on each line. Times are in microseconds there. */
export async function readNodeTimes(file: string): Promise<RunTimes[]> {
  const runs: RunTimes[] = []
  let nodes: NodeTime[] = []
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    if (!line.startsWith('{')) continue
    const { cat, name, dur } = eventSchema.parse(JSON.parse(line.replace(/,$/, '')))
    if (cat === 'Node' && name.endsWith('_kernel_time')) {
      const [, index, inside] = nodeName.exec(name) ?? []
      if (!inside) nodes.push({ index: index === undefined ? undefined : Number(index), milliseconds: dur / 1000 })
    } else if (name === 'model_run') {
      runs.push(nodes)
      nodes = []
    }
  }
  return runs
}
