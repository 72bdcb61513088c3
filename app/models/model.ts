import type { z } from 'zod'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { DType, Shape } from '#app/tensor/tensor.ts'
import { GraphBuilder, optimize, Scope, type CompileOptions, type Graph, type Value } from '#app/graph/index.ts'

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

/** The model's graph for inputs of these shapes, checked, with every key of the checkpoint accounted for. */
export function compile<Config>(
  model: Model<Config>,
  config: Config,
  weights: Weights,
  inputs: InputShapes,
  options: CompileOptions,
): Graph {
  const builder = new GraphBuilder(model.className)
  const scope = Scope.root(builder, weights, options)
  const values = Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, builder.input(name, dtype, shape)]),
  )
  const outputs = model.forward(scope, config, values)
  for (const [name, value] of Object.entries(outputs)) builder.output(name, value)
  scope.audit((key) => model.ignoredKeys?.(key, options) ?? false)
  const graph = builder.finish()
  refuseUnused(graph)
  return optimize(graph)
}

/** An input that no layer reads was given by mistake: the reference's forward would not take it. */
function refuseUnused(graph: Graph): void {
  const used = new Set(
    graph.nodes.flatMap(({ inputs, body }) => [...inputs, ...(body?.nodes.flatMap((node) => node.inputs) ?? [])]),
  )
  const unused = graph.inputs.find((input) => !used.has(input))
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
