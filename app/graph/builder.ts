import type { Weight } from '#app/checkpoints/weights.ts'
import { float32, int64, type DType, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { checkNode } from './check-node.ts'
import type { Attributes, Body, Graph, Known, Node, Value } from './graph.ts'
import type { OpName } from './ops/ops.ts'
import { wasChecked } from './verify.ts'

/**
 * Where nodes go: to the graph, to a loop's body, or to what a pass puts in the place of a node, under that node's
 * path.
 */
type Destination = { readonly nodes: Node[]; readonly path?: string | undefined }

type Place = Pick<Value, 'path' | 'depth'>

/**
 * Collects the nodes of one graph. Each is checked against the op table as it is added, so an error points at the
 * layer's own line.
 */
export class GraphBuilder {
  readonly name: string
  readonly #inputs: Value[] = []
  readonly #outputs: { name: string; value: Value }[] = []
  #destination: Destination = { nodes: [] }
  readonly #known = new Map<Value, Known>()
  readonly #shared = new Map<string, Value>()
  #count = 0

  constructor(name: string) {
    this.name = name
  }

  #value(name: string, dtype: DType, shape: Shape, { path, depth }: Place): Value {
    return { name, dtype, shape, builder: this, path, depth }
  }

  input(name: string, dtype: DType, shape: Shape): Value {
    const value = this.#value(name, dtype, shape, { path: '', depth: 0 })
    this.#inputs.push(value)
    return value
  }

  output(name: string, value: Value): void {
    // A node of its own, so that two outputs may be the same value, and an output may be an input.
    this.#outputs.push({ name, value: this.emit('Identity', [value]) })
  }

  constant(tensor: Tensor): Value {
    const value = this.#value(`constant_${this.#count++}`, tensor.dtype, tensor.shape, nowhere)
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

  /** `path` is that of the layer whose weight it is. */
  weight(weight: Weight, path: string): Value {
    const value = this.#value(weight.name, weight.dtype, weight.shape, { path, depth: Infinity })
    this.#known.set(value, { weight })
    return value
  }

  readonly #constantOf = (value: Value): Tensor => {
    const known = this.#known.get(value)
    if (!known || !('constant' in known)) throw new Error(`${value.name} must be a constant`)
    return known.constant
  }

  /**
   * Adds a node with several outputs, under the path that its layer gives (Scope.emit), or under its operands'
   * (`placeOf`). Throws when the op table forbids it, naming the layer.
   */
  emitAll(
    op: OpName,
    inputs: readonly (Value | null)[],
    attributes: Attributes = {},
    { path: given, body }: { readonly path?: string | undefined; readonly body?: Body } = {},
  ): Value[] {
    const place = placeOf(body ? [...inputs, body.output] : inputs)
    const path = this.#destination.path ?? given ?? place.path
    try {
      const outlines = checkNode({ op, inputs, attributes, ...(body && { body }) }, this.#constantOf)
      const id = this.#count++
      const outputs = outlines.map(({ dtype, shape }, i) =>
        this.#value(`${op}_${id}${i ? `_${i}` : ''}`, dtype, shape, { path, depth: place.depth }),
      )
      const node = { op, inputs, outputs, attributes, path, ...(body && { body }) }
      wasChecked(node)
      this.#destination.nodes.push(node)
      return outputs
    } catch (cause) {
      throw new Error(`${path || this.name}: ${(cause as Error).message}`, { cause })
    }
  }

  emit(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, attributes)[0]!
  }

  /**
   * Slices of all `xs` along `axis`, one after the other through `each`, and its results stacked along the same axis.
   */
  scan(xs: readonly Value[], axis: number, each: (...slices: Value[]) => Value): Value {
    const inputs = xs.map((x) => this.#value(`slice_${this.#count++}`, x.dtype, x.shape.toSpliced(axis, 1), x))
    const { nodes, made: output } = this.#apart(this.#destination.path, () => each(...inputs))
    const attributes = { num_scan_inputs: xs.length, scan_input_axes: xs.map(() => axis), scan_output_axes: [axis] }
    return this.emitAll('Scan', xs, attributes, { body: { inputs, output, nodes } })[0]!
  }

  /**
   * What `make` yields, and the nodes that it adds for it, all under `path` and apart from the graph's own: for passes.
   */
  collect<Made>(path: string, make: () => Made): { readonly nodes: readonly Node[]; readonly made: Made } {
    return this.#apart(path, make)
  }

  #apart<Made>(path: string | undefined, make: () => Made): { readonly nodes: readonly Node[]; readonly made: Made } {
    const outside = this.#destination
    const nodes: Node[] = []
    this.#destination = { nodes, path }
    try {
      return { made: make(), nodes }
    } finally {
      this.#destination = outside
    }
  }

  /** All that was ever known, also what passes added after the graph was finished. */
  get known(): ReadonlyMap<Value, Known> {
    return this.#known
  }

  finish(): Graph {
    return {
      name: this.name,
      inputs: this.#inputs,
      outputs: this.#outputs,
      nodes: this.#destination.nodes,
      known: this.#known,
    }
  }
}

const nowhere: Place = { path: '', depth: -1 }

/**
 * Where a node stands that no layer claims, such as a sum or a reshape: with the weight that it reads, else with the
 * operand that took the most nodes to make. So a residual sum stands in the layer that it ends, and not in the one
 * before, in whatever order a layer builds its parts. Its depth is one more than that of the deepest operand that is no
 * weight.
 */
function placeOf(operands: readonly (Value | null)[]): Place {
  let [place, depth] = [nowhere, nowhere.depth]
  for (const operand of operands) {
    if (!operand) continue
    if (operand.depth > place.depth) place = operand
    if (operand.depth > depth && operand.depth !== Infinity) depth = operand.depth
  }
  return { path: place.path, depth: depth < 0 ? place.depth : depth + 1 }
}
