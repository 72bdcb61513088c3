import type { z } from 'zod'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { showShape, type DType, type Shape } from '#app/tensor/tensor.ts'
import {
  cast,
  GraphBuilder,
  LoraBranches,
  loraScalesInput,
  reshape,
  Scope,
  type CompileOptions,
  type Graph,
  type Lora,
  type Value,
} from '#app/graph/index.ts'

export type Inputs = Readonly<Record<string, Value | undefined>>
export type Outputs = Readonly<Record<string, Value>>
export type InputShapes = Readonly<Record<string, { readonly dtype: DType; readonly shape: Shape }>>

/**
 * One architecture: its config as config.json writes it, and its forward pass as a graph. Inputs and outputs carry the names of
 * the reference's forward arguments; which of the optional ones are given decides what the graph holds.
 */
export type Model<Config> = {
  readonly className: string
  readonly config: z.ZodType<Config>
  readonly forward: (scope: Scope, config: Config, inputs: Inputs) => Outputs
  /** The arguments of the reference's forward that are no tensors, and are read here. Any other is refused by name. */
  readonly args?: readonly string[]
  /** Inputs that the reference's forward takes and, as the config has it, may not read. Any other is refused by name. */
  readonly ignoredInputs?: readonly string[]
  /** Keys that published files carry and no layer needs. */
  readonly ignoredKeys?: (key: string, options: CompileOptions) => boolean
}

/** Parses config.json for a model. Throws bad-model that names each key which is wrong. */
export function parseConfig<Config>(model: Pick<Model<Config>, 'className' | 'config'>, config: unknown): Config {
  const parsed = model.config.safeParse(config)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'config.json'}: ${issue.message}`)
  const field = parsed.error.issues[0]?.path.join('.')
  throw new ProblemError(
    'bad-model',
    `config.json of this ${model.className} cannot be used: ${issues.join('; ')}`,
    field ? { field } : {},
  )
}

/** What diffusers writes beside the projections themselves when a model is saved while they are fused. */
const fusedCopy = /\.to_(qkv|kv)\.(weight|bias)$/

/**
 * The model's graph for inputs of these shapes, as it is built, with every key of the checkpoint accounted for. With `loras` there must be
 * an input lora_scales, with one scale for each.
 */
export function compile<Config>(
  model: Model<Config>,
  config: Config,
  weights: Weights,
  inputs: InputShapes,
  options: CompileOptions,
  loras: readonly Lora[] = [],
): Graph {
  refuseUnknown(model.className, options.args, model.args ?? [])
  const builder = new GraphBuilder(model.className)
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, builder.input(name, dtype, shape)]),
  )
  const scales = values[loraScalesInput]
  const branches = scales && new LoraBranches(loras, scales)
  const scope = Scope.root(builder, weights, options, { loras: branches })
  const outputs = model.forward(scope, config, values)
  for (const [name, value] of Object.entries(outputs)) builder.output(name, value)
  const ignored = (key: string): boolean => fusedCopy.test(key) || (model.ignoredKeys?.(key, options) ?? false)
  scope.audit(ignored)
  branches?.audit(model.className, (path) => ignored(`${path}.weight`))
  const graph = builder.finish()
  refuseUnused(graph, [...(model.ignoredInputs ?? []), loraScalesInput])
  return graph
}

function refuseUnknown(className: string, args: CompileOptions['args'], known: readonly string[]): void {
  const unknown = Object.keys(args).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw new ProblemError('bad-input', `${className} takes no argument "${unknown}"`, { field: unknown })
}

/** An input that no layer reads was given by mistake: the reference's forward would not take it. */
function refuseUnused(graph: Graph, ignored: readonly string[]): void {
  const used = new Set(
    graph.nodes.flatMap(({ inputs, body }) => [...inputs, ...(body?.nodes.flatMap((node) => node.inputs) ?? [])]),
  )
  const unused = graph.inputs.find((input) => !used.has(input) && !ignored.includes(input.name))
  if (unused)
    throw new ProblemError('bad-input', `${graph.name} as its config.json has it takes no input "${unused.name}"`, {
      field: unused.name,
    })
}

/** An input that the forward cannot do without. Throws bad-input with its name. */
export function required(inputs: Inputs, name: string, why = ''): Value {
  const value = inputs[name]
  if (value) return value
  throw new ProblemError('bad-input', `the input "${name}" is missing${why && `: ${why}`}`, { field: name })
}

/** An image-like input, (N, channels, H, W). Throws bad-input naming it and the config's key. */
export function checkFourAxes(x: Value, name: string, channels: number, key: string): void {
  if (x.shape.length !== 4)
    throw new ProblemError(
      'bad-input',
      `${name} has shape ${showShape(x.shape)}; it must be (batch, channel, height, width)`,
      { field: name },
    )
  if (x.shape[1] !== channels)
    throw new ProblemError(
      'bad-input',
      `${name} has ${x.shape[1]} channels where the model takes ${channels} (${key})`,
      { field: name },
    )
}

/** A timestep for all rows or one for each, (), (1) or (N), as float32 with one axis. Throws bad-input. */
export function timestepOf(inputs: Inputs, batch: number): Value {
  const timestep = required(inputs, 'timestep')
  if (timestep.shape.length === 0) return reshape(cast(timestep, 'float32'), [1])
  if (timestep.shape.length === 1 && (timestep.shape[0] === 1 || timestep.shape[0] === batch))
    return cast(timestep, 'float32')
  throw new ProblemError('bad-input', `timestep has shape ${showShape(timestep.shape)}; it must be (1) or (${batch})`, {
    field: 'timestep',
  })
}
