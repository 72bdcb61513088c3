import type { Weight } from '#app/checkpoints/weights.ts'
import { float32, int64, type DType, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { checkNode } from './check-node.ts'
import type { Attributes, Body, Graph, Known, Node, Value } from './graph.ts'
import type { OpName } from './ops.ts'
import { wasChecked } from './verify.ts'

/** Collects the nodes of one graph. Each is checked against the op table as it is added, so an error points at the layer's own line. */
export class GraphBuilder {
  readonly name: string
  /** The layer that nodes are added for; Scope keeps it. */
  path = ''
  readonly #inputs: Value[] = []
  readonly #outputs: { name: string; value: Value }[] = []
  /** Where nodes go: the graph's, or those of the body that is being built. */
  #nodes: Node[] = []
  readonly #known = new Map<Value, Known>()
  readonly #shared = new Map<string, Value>()
  #count = 0

  constructor(name: string) {
    this.name = name
  }

  #value(name: string, dtype: DType, shape: Shape): Value {
    return { name, dtype, shape, builder: this }
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#value(name, dtype, shape)
    this.#inputs.push(value)
    return value
  }

  output(name: string, value: Value): void {
    // A node of its own, so that two outputs may be the same value, and an output may be an input.
    this.#outputs.push({ name, value: this.emit('Identity', [value]) })
  }

  constant(tensor: Tensor): Value {
    const value = this.#value(`constant_${this.#count++}`, tensor.dtype, tensor.shape)
    this.#known.set(value, { constant: tensor })
    return value
  }

  /** The constant that `what` stands for, made once: onnxruntime opens a graph faster the fewer it has. */
  shared(what: string, make: () => Tensor): Value {
    const known = this.#shared.get(what)
    if (known) return known
    const value = this.constant(make())
    this.#shared.set(what, value)
    return value
  }

  /** A vector of int64, as ONNX takes shapes, axes and sizes. */
  integers(values: readonly number[]): Value {
    return this.shared(`integers ${values.join()}`, () => int64([values.length], values))
  }

  scalar(value: number): Value {
    return this.shared(`scalar ${value}`, () => float32([], [value]))
  }

  /** A vector of `size` equal numbers. */
  filled(size: number, value: number): Value {
    return this.shared(`${size} times ${value}`, () => float32([size], new Float32Array(size).fill(value)))
  }

  weight(weight: Weight): Value {
    const value = this.#value(weight.name, weight.dtype, weight.shape)
    this.#known.set(value, { weight })
    return value
  }

  readonly #constantOf = (value: Value): Tensor => {
    const known = this.#known.get(value)
    if (!known || !('constant' in known)) throw new Error(`${value.name} must be a constant`)
    return known.constant
  }

  /** Adds a node with several outputs. Throws when the op table forbids it, naming the layer. */
  emitAll(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}, body?: Body): Value[] {
    try {
      const outlines = checkNode({ op, inputs, attributes, ...(body && { body }) }, this.#constantOf)
      const id = this.#count++
      const outputs = outlines.map(({ dtype, shape }, i) => this.#value(`${op}_${id}${i ? `_${i}` : ''}`, dtype, shape))
      const node = { op, inputs, outputs, attributes, path: this.path, ...(body && { body }) }
      wasChecked(node)
      this.#nodes.push(node)
      return outputs
    } catch (cause) {
      throw new Error(`${this.path || this.name}: ${(cause as Error).message}`, { cause })
    }
  }

  emit(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, attributes)[0]!
  }

  /** Slices of all `xs` along `axis`, one after the other through `each`, and its results stacked along the same axis. */
  scan(xs: readonly Value[], axis: number, each: (...slices: Value[]) => Value): Value {
    const outside = this.#nodes
    const nodes: Node[] = []
    this.#nodes = nodes
    try {
      const inputs = xs.map((x) => this.#value(`slice_${this.#count++}`, x.dtype, x.shape.toSpliced(axis, 1)))
      const output = each(...inputs)
      this.#nodes = outside
      const attributes = {
        num_scan_inputs: xs.length,
        scan_input_axes: xs.map(() => axis),
        scan_output_axes: [axis],
      }
      return this.emitAll('Scan', xs, attributes, { inputs, output, nodes })[0]!
    } finally {
      this.#nodes = outside
    }
  }

  /** The nodes that `make` adds, apart from the graph's own: a pass puts them in the place of others. */
  collect(path: string, make: () => Value): { readonly nodes: readonly Node[]; readonly output: Value } {
    const outside = this.#nodes
    const nodes: Node[] = []
    this.#nodes = nodes
    this.path = path
    try {
      return { output: make(), nodes }
    } finally {
      this.#nodes = outside
    }
  }

  /** All that was ever known, also what passes added after the graph was finished. */
  get known(): ReadonlyMap<Value, Known> {
    return this.#known
  }

  finish(): Graph {
    return { name: this.name, inputs: this.#inputs, outputs: this.#outputs, nodes: this.#nodes, known: this.#known }
  }
}
