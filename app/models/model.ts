import type { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { showShape, type Tensor } from '#app/tensor/tensor.ts'
import { cast, reshape, type Scope, type Value } from '#app/graph/index.ts'
import type { InputShapes, Sizes } from './input-shapes.ts'

/**
 * The values that a method is given, by the names of the reference's arguments. A caller must give those that are
 * `Needed`, which `required` checks once more: inputs also come from files.
 */
export type Inputs<Needed extends string = string, Optional extends string = never> = {
  readonly [Name in Needed]: Value | undefined
} & { readonly [Name in Optional]?: Value | undefined }

/**
 * The values that a method makes, by the names of the reference's outputs; those of `Sometimes` as its arguments say.
 */
export type Outputs<Always extends string, Sometimes extends string = never> = {
  readonly [Name in Always]: Value
} & { readonly [Name in Sometimes]?: Value }

/** The arguments of a method that are no tensors, as data: they are part of the key that a graph is kept under. */
export type Args = Readonly<Record<string, number | boolean | readonly number[] | undefined>>

/** One of the reference's methods as a graph. Which of the optional inputs are given decides what the graph holds. */
export type Method<Config = unknown> = {
  build(scope: Scope, config: Config, inputs: Inputs, args: Args): Readonly<Record<string, Value | undefined>>
  /** Without it there are none. */
  readonly args?: z.ZodType<Args, Args>
  /** Inputs of these sizes, all that are needed; and the arguments that go with them. */
  inputsFor(config: Config, sizes: Sizes): InputShapes
  argsFor?(sizes: Sizes): Args
  /** Inputs that the reference takes and, as the config has it, may not read. Any other is refused by name. */
  readonly ignoredInputs?: readonly string[]
}

/** One architecture: its config as config.json writes it, and the reference's methods. */
export type Model<Config = unknown> = {
  readonly className: string
  readonly config: z.ZodType<Config>
  readonly methods: Readonly<Record<string, Method<Config>>>
  /** Keys that published files carry and no method needs. */
  readonly ignoredKeys?: (key: string) => boolean
  /** FreeU's factors are an input of its forward. */
  readonly hasFreeU?: boolean
  /** Its set_default_attn_processor throws any other away, where other models refuse. */
  readonly resetsAnyProcessor?: boolean
}

export type ConfigOf<M extends Model> = z.output<M['config']>
export type MethodName<M extends Model> = keyof M['methods'] & string
type Build<M extends Model, Name extends MethodName<M>> = M['methods'][Name]['build']
/** The tensors that a method takes and gives, and its arguments. */
export type InputsOf<M extends Model, Name extends MethodName<M>> = {
  readonly [Input in keyof Parameters<Build<M, Name>>[2]]: Tensor
}
export type OutputsOf<M extends Model, Name extends MethodName<M>> = {
  readonly [Output in keyof ReturnType<Build<M, Name>>]: Tensor
}
export type ArgsOf<M extends Model, Name extends MethodName<M>> = M['methods'][Name] extends {
  readonly args?: z.ZodType<Args, infer Given extends Args>
}
  ? Given
  : Readonly<Record<string, never>>

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

/** An input that the method cannot do without. Throws bad-input with its name. */
export function required<Name extends string>(
  inputs: { readonly [N in Name]?: Value | undefined },
  name: Name,
  why = '',
): Value {
  const value = inputs[name]
  if (value) return value
  throw new ProblemError('bad-input', `the input "${name}" is missing${why && `: ${why}`}`, { field: name })
}

/** The sizes of an input that has these axes. Throws bad-input naming it where it has not. */
export function inputDims<const Axes extends readonly string[]>(
  x: Value,
  name: string,
  axes: Axes,
): { readonly [Axis in keyof Axes]: number } {
  if (x.shape.length === axes.length) return x.shape as { readonly [Axis in keyof Axes]: number }
  throw new ProblemError('bad-input', `${name} has shape ${showShape(x.shape)}; it must be (${axes.join(', ')})`, {
    field: name,
  })
}

/** The sizes of an image-like input, (N, channels, H, W). Throws bad-input naming it and the config's key. */
export function imageDims(
  x: Value,
  name: string,
  channels: number,
  key: string,
): readonly [number, number, number, number] {
  const sizes = inputDims(x, name, ['batch', 'channel', 'height', 'width'])
  if (sizes[1] === channels) return sizes
  throw new ProblemError('bad-input', `${name} has ${sizes[1]} channels where the model takes ${channels} (${key})`, {
    field: name,
  })
}

/** A timestep for all rows or one for each, (), (1) or (N), as float32 with one axis. Throws bad-input. */
export function timestepOf(inputs: Inputs<'timestep'>, batch: number): Value {
  const timestep = required(inputs, 'timestep')
  if (timestep.shape.length === 0) return reshape(cast(timestep, 'float32'), [1])
  if (timestep.shape.length === 1 && (timestep.shape[0] === 1 || timestep.shape[0] === batch))
    return cast(timestep, 'float32')
  throw new ProblemError('bad-input', `timestep has shape ${showShape(timestep.shape)}; it must be (1) or (${batch})`, {
    field: 'timestep',
  })
}
