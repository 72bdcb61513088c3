import type { Weight } from '#app/checkpoints/weights.ts'
import type { DType, Shape, Tensor } from '#app/tensor/tensor.ts'
import type { GraphBuilder } from './builder.ts'
import type { OpName } from './ops/ops.ts'

/** A tensor of the graph. Shapes are concrete: another shape is another graph, which costs milliseconds to make. */
export type Value = {
  readonly name: string
  readonly dtype: DType
  readonly shape: Shape
  readonly builder: GraphBuilder
  /** The layer that made it, as the checkpoint's keys name it; '' for inputs and constants. */
  readonly path: string
  /**
   * Nodes on the longest way from the inputs to it. Infinity for a weight and what is made of weights alone, -1 for
   * constants and what is made of them: see `placeOf`.
   */
  readonly depth: number
}

export type Attribute = number | string | readonly number[]
export type Attributes = Readonly<Record<string, Attribute>>

export type Node = {
  readonly op: OpName
  readonly inputs: readonly (Value | null)[]
  readonly outputs: readonly Value[]
  readonly attributes: Attributes
  /** The layer it belongs to, as the checkpoint's keys name it. */
  readonly path: string
  /** Scan: what is done with each slice, or with the slices that belong together. It may use values from outside. */
  readonly body?: Body
}

export type Body = { readonly inputs: readonly Value[]; readonly output: Value; readonly nodes: readonly Node[] }

/** What a value is known to hold before the graph runs: a small tensor of ours, or a range of a weight file. */
export type Known = { readonly constant: Tensor } | { readonly weight: Weight }

export type Graph = {
  readonly name: string
  readonly inputs: readonly Value[]
  readonly outputs: readonly { readonly name: string; readonly value: Value }[]
  readonly nodes: readonly Node[]
  readonly known: ReadonlyMap<Value, Known>
}
