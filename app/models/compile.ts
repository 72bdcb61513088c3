import { z } from 'zod'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import {
  defaultOptions,
  GraphBuilder,
  LoraBranches,
  loraScalesInput,
  Scope,
  type CompileOptions,
  type Graph,
  type Lora,
  type Value,
} from '#app/graph/index.ts'
import { smallest, type InputShapes } from './input-shapes.ts'
import type { Args, Method, Model } from './model.ts'

/** One run of a method: inputs of these shapes, and its arguments. */
export type Run = { readonly method: string; readonly inputs: InputShapes; readonly args?: Args | undefined }

/**
 * A method's graph for inputs of these shapes, as it is built, with every key of the checkpoint accounted for: each is
 * read here, or by another method or with other arguments. With `loras` there must be an input lora_scales, with one
 * scale for each. Throws bad-input naming the input or argument that does not fit, and bad-model naming the key.
 */
export function compile<Config>(
  model: Model<Config>,
  config: Config,
  weights: Weights,
  run: Run,
  options: CompileOptions,
  loras: readonly Lora[] = [],
): Graph {
  const builder = new GraphBuilder(model.className)
  const values = addInputs(builder, run.inputs)
  const scales = values[loraScalesInput]
  const branches = scales && new LoraBranches(loras, scales)
  const scope = Scope.root(builder, weights, options, { loras: branches })
  const method = methodOf(model, run.method)
  const outputs = method.build(scope, config, values, parseArgs(model, method, run.args))
  for (const [name, value] of Object.entries(outputs)) if (value) builder.output(name, value)
  let needless: ReadonlySet<string> | undefined
  scope.audit(
    (key) => isNeedless(model, key) || !(needless ??= new Set(auditKeys(model, config, weights).unused)).has(key),
  )
  const resting = new Set(scope.unusedKeys())
  branches?.audit(model.className, (path) => resting.has(`${path}.weight`))
  const graph = builder.finish()
  refuseUnused(graph, [...(method.ignoredInputs ?? []), loraScalesInput])
  return graph
}

/** Keys that a model needs and lacks, has in another shape (as a message each), and has beyond its need. */
export type KeyAudit = { readonly missing: string[]; readonly wrong: string[]; readonly unused: string[] }

/**
 * Compares a checkpoint with what a model asks for, by building the graphs of all its methods and running none. Throws
 * what a method throws about anything but weights.
 */
export function auditKeys<Config>(
  model: Model<Config>,
  config: Config,
  weights: Weights,
  runs: readonly Run[] = everyMethod(model, config),
): KeyAudit {
  const missing = new Set<string>()
  const wrong = new Map<string, string>()
  let unused = [...weights.keys()].filter((key) => !isNeedless(model, key))
  const onWrongKey = (key: string, { message }: ProblemError): void => {
    if (weights.has(key)) wrong.set(key, message)
    else missing.add(key)
  }
  for (const { method: name, inputs, args } of runs) {
    const builder = new GraphBuilder(model.className)
    const scope = Scope.root(builder, weights, defaultOptions, { onWrongKey })
    const method = methodOf(model, name)
    method.build(scope, config, addInputs(builder, inputs), parseArgs(model, method, args))
    const left = new Set(scope.unusedKeys())
    unused = unused.filter((key) => left.has(key))
  }
  return { missing: [...missing], wrong: [...wrong.values()], unused }
}

const everyMethod = <Config>(model: Model<Config>, config: Config): Run[] =>
  Object.entries(model.methods).map(([name, method]) => ({
    method: name,
    inputs: method.inputsFor(config, smallest),
    args: method.argsFor?.(smallest),
  }))

/** What diffusers writes beside the projections themselves when a model is saved while they are fused. */
const fusedCopy = /\.to_(qkv|kv)\.(weight|bias)$/
const isNeedless = <Config>(model: Model<Config>, key: string): boolean =>
  fusedCopy.test(key) || (model.ignoredKeys?.(key) ?? false)

const addInputs = (builder: GraphBuilder, inputs: InputShapes): Record<string, Value> =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, { dtype, shape }]) => [name, builder.input(name, dtype, shape)]),
  )

function methodOf<Config>({ className, methods }: Model<Config>, name: string): Method<Config> {
  const method = Object.hasOwn(methods, name) ? methods[name] : undefined
  if (method) return method
  throw new ProblemError('bad-input', `${className} has no ${name}; it has ${Object.keys(methods).join(', ')}`, {
    field: 'method',
  })
}

/** Throws bad-input naming the argument that a method does not take, or not so. */
function parseArgs<Config>({ className }: Model<Config>, method: Method<Config>, args: Args = {}): Args {
  const schema = method.args ?? noArgs
  const parsed = schema.safeParse(args)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined
  const field = unknown ?? issue?.path.join('.') ?? ''
  throw new ProblemError(
    'bad-input',
    unknown === undefined
      ? `the argument ${field} of ${className} cannot be used: ${issue?.message}`
      : `${className} takes no argument "${field}"`,
    { field },
  )
}
const noArgs = z.strictObject({})

/** An input that no layer reads was given by mistake: the reference's method would not take it. */
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
