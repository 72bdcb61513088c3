import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { sameShape, showShape, type Shape } from '#app/tensor/tensor.ts'
import type { GraphBuilder } from './builder.ts'
import type { Attributes, Value } from './graph.ts'
import type { LoraBranches } from './loras.ts'
import type { OpName } from './ops/ops.ts'
import { defaultOptions, type CompileOptions } from './options.ts'

export type ScopeExtras = {
  readonly loras?: LoraBranches | undefined
  /**
   * Takes what is wrong with a key instead of a throw, so that a report can name all of them. Such a graph cannot run.
   */
  readonly onWrongKey?: ((key: string, problem: ProblemError) => void) | undefined
}

/**
 * A place in a checkpoint: its path is the prefix of the keys below it, so there is no table of names. Keeps which keys
 * were used, for the audit at the end.
 */
export class Scope {
  readonly builder: GraphBuilder
  readonly options: CompileOptions
  readonly path: string
  readonly #weights: Weights
  readonly #values: Map<string, Value>
  readonly #extras: ScopeExtras

  private constructor(
    builder: GraphBuilder,
    options: CompileOptions,
    path: string,
    weights: Weights,
    values: Map<string, Value>,
    extras: ScopeExtras,
  ) {
    this.builder = builder
    this.options = options
    this.path = path
    this.#weights = weights
    this.#values = values
    this.#extras = extras
  }

  static root(
    builder: GraphBuilder,
    weights: Weights,
    options: CompileOptions = defaultOptions,
    extras: ScopeExtras = {},
  ): Scope {
    return new Scope(builder, options, '', weights, new Map(), extras)
  }

  /** The scope below: `at('down_blocks', 0, 'resnets', 1)` is `down_blocks.0.resnets.1`. */
  at(...parts: (string | number)[]): Scope {
    const path = [...(this.path ? [this.path] : []), ...parts].join('.')
    return new Scope(this.builder, this.options, path, this.#weights, this.#values, this.#extras)
  }

  /** A node of this layer. Throws as the builder does. */
  emit(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value {
    return this.emitAll(op, inputs, attributes)[0]!
  }

  /** The same for one with several outputs. */
  emitAll(op: OpName, inputs: readonly (Value | null)[], attributes: Attributes = {}): Value[] {
    return this.builder.emitAll(op, inputs, attributes, { path: this.path })
  }

  #key(name: string): string {
    return this.path ? `${this.path}.${name}` : name
  }

  has(name: string): boolean {
    return this.#weights.has(this.#key(name))
  }

  /** The shape of the weight of that name, for what no config says; undefined where there is none. */
  shapeOf(name: string): Shape | undefined {
    return this.#weights.get(this.#key(name))?.shape
  }

  /**
   * The weight of that name as float32. Half precision is widened by a node.
   * Throws bad-model when the key is missing or has another shape.
   */
  weight(name: string, shape: Shape): Value {
    const key = this.#key(name)
    const known = this.#values.get(key)
    if (known) return known
    const weight = this.#weights.get(key)
    const problem = this.#problemOf(key, weight, shape)
    if (problem && !this.#extras.onWrongKey) throw problem
    if (problem) this.#extras.onWrongKey?.(key, problem)
    const value = this.#widened(
      weight && !problem ? weight : { name: key, dtype: 'float32', shape, source: { bytes: new Uint8Array() } },
    )
    this.#values.set(key, value)
    return value
  }

  #problemOf(key: string, weight: Weight | undefined, shape: Shape): ProblemError | undefined {
    if (!weight)
      return new ProblemError(
        'bad-model',
        `the checkpoint has no weight "${key}", which ${this.builder.name} needs; its config.json and its weights do not belong together`,
        { field: key },
      )
    if (sameShape(weight.shape, shape)) return undefined
    return new ProblemError(
      'bad-model',
      `weight "${key}" has shape ${showShape(weight.shape)} where the config asks for ${showShape(shape)}; config.json and weights do not belong together`,
      { field: key },
    )
  }

  /** What LoRAs add to the layer of this path. */
  loras(): ReturnType<LoraBranches['at']> {
    return this.#extras.loras?.at(this.path, (weight) => this.#widened(weight)) ?? []
  }

  #widened(weight: Weight): Value {
    const value = this.builder.weight(weight, this.path)
    if (weight.dtype === 'float32') return value
    if (weight.dtype === 'float16' || weight.dtype === 'bfloat16' || weight.dtype === 'float64')
      return this.emit('Cast', [value], { to: 'float32' })
    throw new ProblemError('bad-model', `weight "${weight.name}" is ${weight.dtype}, which is no floating type`, {
      field: weight.name,
    })
  }

  unusedKeys(): string[] {
    return [...this.#weights.keys()].filter((key) => !this.#values.has(key))
  }

  /** Throws bad-model that names the keys which no layer used. `ignored` are keys that old files carry without need. */
  audit(ignored: (key: string) => boolean = () => false): void {
    const unused = this.unusedKeys().filter((key) => !ignored(key))
    if (unused.length === 0) return
    const shown = unused
      .slice(0, 5)
      .map((key) => `"${key}"`)
      .join(', ')
    throw new ProblemError(
      'bad-model',
      `${this.builder.name} has no place for ${unused.length} of the checkpoint's weights: ${shown}${unused.length > 5 ? ', ...' : ''}; its config.json and its weights do not belong together`,
      { field: unused[0]! },
    )
  }
}
