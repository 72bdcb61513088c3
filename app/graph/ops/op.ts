import type { DType, Shape, Tensor } from '#app/tensor/tensor.ts'
import type { Attributes, Body, Value } from '../graph.ts'

/** What is known of a value before the graph runs. */
export type Outline = { readonly dtype: DType; readonly shape: Shape }

/** As many as the row's `inputs` says: that is checked before. Those that may be left out come undefined. */
export type Operands = readonly [Value, Value, Value, Value, Value, ...Value[]]

type Infer = (
  inputs: Operands,
  attributes: Attributes,
  constantOf: (value: Value) => Tensor,
  body: Body | undefined,
) => Outline[]

/**
 * One row of the op table: what is legal, and what comes out. `infer` throws a plain Error that says what does not fit.
 */
export type Op = {
  /** 'com.microsoft' for the operators that onnxruntime adds to ONNX. */
  readonly domain: '' | 'com.microsoft'
  /** Fewest and most inputs. */
  readonly inputs: readonly [number, number]
  /** Attribute names; a trailing '?' marks an optional one. */
  readonly attributes: readonly string[]
  readonly infer: Infer
}

export function fail(message: string): never {
  throw new Error(message)
}
export function at<T>(items: readonly T[], index: number): T {
  return items[index] ?? fail(`needs at least ${index + 1} inputs or axes`)
}
export const same = (input: Value): Outline[] => [{ dtype: input.dtype, shape: input.shape }]
export const int = (attributes: Attributes, name: string, otherwise: number): number =>
  (attributes[name] as number | undefined) ?? otherwise
export const ints = (attributes: Attributes, name: string): readonly number[] => attributes[name] as readonly number[]
export const integers = (tensor: Tensor): number[] => Array.from(tensor.data as ArrayLike<number | bigint>, Number)
export const axisOf = (axis: number, rank: number): number => {
  const positive = axis < 0 ? axis + rank : axis
  return positive >= 0 && positive < rank ? positive : fail(`axis ${axis} is outside a tensor of ${rank} axes`)
}
export const replaced = (shape: Shape, axis: number, size: number): Shape =>
  shape.map((old, i) => (i === axis ? size : old))

export function sameDType(inputs: readonly Value[]): DType {
  const { dtype } = at(inputs, 0)
  for (const input of inputs) if (input.dtype !== dtype) fail(`mixes ${dtype} and ${input.dtype}`)
  return dtype
}
