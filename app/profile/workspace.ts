import type { Node, Value } from '#app/graph/index.ts'
import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'

/**
 * What a kernel of onnxruntime's processor provider allocates while it runs, beside its outputs, in bytes. Small
 * buffers for each thread are left out.
 */
export function workspaceBytes(node: Node): number {
  switch (node.op) {
    case 'MultiHeadAttention':
      return attentionBytes(node)
    case 'Scan':
      return scanBytes(node)
    default:
      return 0
  }
}

const bytes = ({ shape, dtype }: Value): number => sizeOf(shape) * bytesPerElement[dtype]

/** Query, key and value with the heads in front; with a mask also all scores, and the result in that order. */
function attentionBytes({ inputs, outputs, attributes }: Node): number {
  const [query, key, value, , , mask] = inputs as [Value, Value, Value, null?, null?, Value?]
  const heads = attributes['num_heads'] as number
  const turned = [query, key, value].reduce((sum, part) => sum + (heads > 1 && part.shape[1]! > 1 ? bytes(part) : 0), 0)
  if (!mask) return turned
  const scores = query.shape[0]! * heads * query.shape[1]! * key.shape[1]! * bytesPerElement[query.dtype]
  return turned + scores + bytes(outputs[0]!)
}

/** Slices along another axis than the first are turned to the front and back, each time into a copy. */
function scanBytes({ inputs, outputs, attributes }: Node): number {
  const along = attributes['scan_input_axes'] as readonly number[]
  const turned = inputs.reduce((sum, input, i) => sum + (along[i] === 0 || !input ? 0 : bytes(input)), 0)
  const [axis] = attributes['scan_output_axes'] as readonly number[]
  return turned + (axis === 0 ? 0 : bytes(outputs[0]!))
}
