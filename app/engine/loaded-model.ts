import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { defaultOptions, type CompileOptions } from '#app/graph/index.ts'
import { compile, parseConfig, type InputShapes, type Model } from '#app/models/model.ts'
import { showShape, type Tensor } from '#app/tensor/tensor.ts'
import type { Session } from './session.ts'
import type { SessionCache } from './session-cache.ts'

/** A checkpoint opened as one of the models. Graphs are compiled when inputs of a new shape arrive, and kept. */
export class LoadedModel<Config = unknown> {
  readonly config: Config
  readonly #model: Model<Config>
  readonly #weights: Weights
  readonly #sessions: SessionCache
  readonly #identity: string
  #options: CompileOptions = defaultOptions

  constructor(model: Model<Config>, config: unknown, weights: Weights, sessions: SessionCache) {
    this.#model = model
    this.config = parseConfig(model, config)
    this.#weights = weights
    this.#sessions = sessions
    this.#identity = identityOf(model.className, this.config, weights)
  }

  get options(): CompileOptions {
    return this.#options
  }

  /** Feed-forward layers in chunks along axis 0 (batch) or 1 (sequence). Source: diffusers UNetMotionModel.enable_forward_chunking. */
  enableForwardChunking(chunkSize: number | null = null, dim = 0): void {
    if (dim !== 0 && dim !== 1)
      throw new ProblemError(
        'bad-input',
        `forward chunking: dim must be 0 (batch) or 1 (sequence length), not ${dim}`,
        { field: 'dim' },
      )
    this.#options = { ...this.#options, forwardChunking: { chunkSize: chunkSize ?? 1, dim } }
  }

  disableForwardChunking(): void {
    this.#options = { ...this.#options, forwardChunking: null }
  }

  /** Inputs that the model itself holds, added to those that a caller gives. */
  withDefaults(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
    return inputs
  }

  /** Runs the model once. Inputs, arguments and outputs as the model's own file says. Throws bad-input naming the input that does not fit. */
  async forward(
    inputs: Readonly<Record<string, Tensor>>,
    args: CompileOptions['args'] = {},
  ): Promise<Record<string, Tensor>> {
    const all = this.withDefaults(inputs)
    const session = await this.#open(all, args)
    return session.run(all)
  }

  /** Compiles and opens what inputs like these need, so that the first step does not wait for it. */
  async prepare(inputs: Readonly<Record<string, Tensor>>, args: CompileOptions['args'] = {}): Promise<void> {
    await this.#open(this.withDefaults(inputs), args)
  }

  #open(inputs: Readonly<Record<string, Tensor>>, args: CompileOptions['args']): Promise<Session> {
    const options = { ...this.#options, args }
    const shapes: InputShapes = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
    )
    const key = JSON.stringify([this.#identity, options, shapes])
    const main = Object.values(shapes)[0]
    const label = `${this.#model.className} ${main ? showShape(main.shape) : ''}`
    return this.#sessions.open(key, label, () => compile(this.#model, this.config, this.#weights, shapes, options))
  }
}

/** Stands for the checkpoint in cache keys: same class, same config, and the same weights in files that were not touched. */
function identityOf(className: string, config: unknown, weights: Weights): string {
  const hash = createHash('sha256').update(JSON.stringify([className, config]))
  const files = new Set<string>()
  for (const { name, source } of weights.values()) {
    if ('file' in source) files.add(source.file)
    hash.update('file' in source ? `${name}:${source.file}:${source.offset}` : `${name}:${source.bytes.length}`)
  }
  for (const file of files) hash.update(`${file}:${statSync(file).mtimeMs}`)
  return hash.digest('hex')
}
