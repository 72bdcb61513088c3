import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import type { LoraFile } from '#app/checkpoints/lora/open-lora.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import type { AttnProcessor, AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { FreeU } from '#app/contract/settings.ts'
import { defaultOptions, type CompileOptions, type Graph } from '#app/graph/index.ts'
import { compile } from '#app/models/compile.ts'
import {
  parseConfig,
  type Args,
  type ArgsOf,
  type ConfigOf,
  type InputsOf,
  type MethodName,
  type Model,
  type OutputsOf,
} from '#app/models/model.ts'
import { float32, showShape, type Tensor } from '#app/tensor/tensor.ts'
import { AttnProcessors } from './attn-processors.ts'
import { LoraSet, type LoraOptions, type LoraReport } from './lora-set.ts'
import { checkOutputs, forModel } from './unsound.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { Session } from '#app/runtime/session.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** A call of a method of a model, to be measured and not run. */
export type Call = {
  readonly method: string
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly args?: Args | undefined
}

const noFreeU: FreeU = { s1: 1, s2: 1, b1: 1, b2: 1 }

/** A checkpoint opened as one of the models. Graphs are compiled when inputs of a new shape arrive, and kept. */
export class LoadedModel<M extends Model = Model> {
  readonly architecture: M
  readonly config: ConfigOf<M>
  #weights: Weights
  readonly #loras = new LoraSet()
  readonly #sessions: SessionCache
  readonly #processors: AttnProcessors
  /** All that is compiled: the model's weights, and those of its attention processors. */
  #complete: { readonly weights: Weights; readonly identity: string }
  #forwardChunking = defaultOptions.forwardChunking
  #compute: Partial<Compute> = {}
  #onQuantizing: OnQuantizing | undefined
  #freeu = noFreeU

  constructor(architecture: M, config: unknown, weights: Weights, sessions: SessionCache) {
    this.architecture = architecture
    this.config = parseConfig(architecture, config) as ConfigOf<M>
    this.#weights = weights
    this.#sessions = sessions
    this.#processors = new AttnProcessors(weights)
    this.#complete = { weights, identity: identityOf(architecture.className, this.config, weights) }
  }

  get options(): CompileOptions {
    return { ...defaultOptions, processors: this.#processors.chosen, forwardChunking: this.#forwardChunking }
  }

  /** The processor of each attention layer, by diffusers' paths. */
  get attnProcessors(): AttnProcessorMap {
    return this.#processors.map
  }

  /**
   * One processor for all attention layers, or one for each, by path. Source:
   * diffusers/src/diffusers/models/attention.py@58eb52c AttentionMixin.set_attn_processor. Throws bad-input naming both
   * counts where there are too few or too many; bad-model when a Custom Diffusion file is none, or for another model.
   */
  async setAttnProcessor(processor: AttnProcessor | AttnProcessorMap): Promise<void> {
    await this.#processors.set(processor)
    this.#completeWeights()
  }

  /** Back to the plain processor. Throws bad-input when a processor is in use that diffusers would not throw away. */
  setDefaultAttnProcessor(): void {
    if (this.architecture.resetsAnyProcessor) this.#processors.reset({ processor: 'AttnProcessor' })
    else this.#processors.setDefault()
    this.#completeWeights()
  }

  /** One product for query, key and value. Throws bad-input for a model with added keys and values. */
  fuseQkvProjections(): void {
    this.#processors.fuse()
    this.#completeWeights()
  }

  /** The processors as they were before `fuseQkvProjections`. */
  unfuseQkvProjections(): void {
    this.#processors.unfuse()
    this.#completeWeights()
  }

  #completeWeights(): void {
    const weights = this.#processors.completed(this.#weights)
    if (weights === this.#complete.weights) return
    this.#complete = { weights, identity: identityOf(this.architecture.className, this.config, weights) }
  }

  /**
   * Adds a LoRA, of a file or opened, on top of those that are loaded. Source: diffusers load_lora_weights. Returns the
   * layers that this model has no place for. Throws bad-model when the file is no LoRA or is one for another model,
   * bad-input when the name is taken.
   */
  loadLora(lora: string | LoraFile, options: LoraOptions = {}): Promise<LoraReport> {
    const part = this.architecture.className.startsWith('CLIPText') ? 'text_encoder' : 'denoiser'
    return this.#loras.load(lora, this.#weights, { ...options, part: options.part ?? part })
  }

  /** From the next forward on; nothing is compiled or loaded for it. Throws bad-input for a name that is not loaded. */
  setLoraScale(name: string, scale: number): void {
    this.#loras.setScale(name, scale)
  }

  /** Takes a LoRA away, or all without a name. Throws bad-input for a name that is not loaded. */
  unloadLora(name?: string): void {
    this.#loras.unload(name)
  }

  /** The loaded LoRAs' scales by their names. */
  get loraScales(): Readonly<Record<string, number>> {
    return this.#loras.scales
  }

  protected get weights(): Weights {
    return this.#weights
  }

  /** Other weights for the same config. What both have in common stays mapped. */
  protected replaceWeights(weights: Weights): void {
    this.#loras.moveTo(weights)
    this.#weights = weights
    this.#completeWeights()
  }

  /**
   * Feed-forward layers in chunks, of 1 without a size, along axis 0 (batch) or 1 (sequence). Source: diffusers
   * UNetMotionModel.enable_forward_chunking. Throws bad-input naming the argument.
   */
  enableForwardChunking(chunkSize: number | null = null, dim = 0): void {
    if (dim !== 0 && dim !== 1)
      throw new ProblemError(
        'bad-input',
        `forward chunking: dim must be 0 (batch) or 1 (sequence length), not ${dim}`,
        { field: 'dim' },
      )
    const size = chunkSize || 1
    if (!Number.isInteger(size) || size < 0)
      throw new ProblemError('bad-input', `forward chunking: the chunk size must be a whole number, not ${size}`, {
        field: 'chunkSize',
      })
    this.#forwardChunking = { chunkSize: size, dim }
  }

  disableForwardChunking(): void {
    this.#forwardChunking = null
  }

  /**
   * The execution provider, the precision and whether exactly; what is left out is as the session cache has it. Holds
   * from the next forward on, which throws bad-input or unsupported when the provider lacks the precision, is missing
   * here, or computes wrongly. The first forward in int8 makes the weights, which takes a while: `onQuantizing` hears
   * how far it is, and stops it by throwing.
   */
  computeWith(compute: Partial<Compute>, onQuantizing?: OnQuantizing): void {
    this.#compute = compute
    this.#onQuantizing = onQuantizing
  }

  /**
   * FreeU's factors, from the next forward on; they are inputs of the graph, so nothing is compiled or loaded for them.
   * A factor of 0 means 0, not "off". Source: unet_motion_model.py@58eb52c enable_freeu. Throws bad-input for a model
   * without FreeU.
   */
  enableFreeu(freeu: FreeU): void {
    if (!this.architecture.hasFreeU)
      throw new ProblemError('bad-input', `${this.architecture.className} has no FreeU`, { field: 'freeu' })
    this.#freeu = freeu
  }

  disableFreeu(): void {
    this.enableFreeu(noFreeU)
  }

  /**
   * Runs one of the model's methods: inputs, arguments and outputs as the model's own file says. Throws bad-input
   * naming the input or argument that does not fit; not-finite naming the input, weight or output that holds NaN or
   * infinity.
   */
  async run<Name extends MethodName<M>>(
    method: Name,
    inputs: InputsOf<M, Name>,
    args?: ArgsOf<M, Name>,
  ): Promise<OutputsOf<M, Name>> {
    const all = this.#withOwn(inputs)
    const call = { method, inputs: all, args }
    const ran = { className: this.architecture.className, compute: this.#computesOn }
    try {
      const outputs = await (await this.#open(call)).run(all)
      await checkOutputs({ ...ran, inputs: all, outputs, graph: () => this.#compilation(call, this.options).graph() })
      return outputs as OutputsOf<M, Name>
    } catch (error) {
      throw forModel(error, ran)
    }
  }

  /** Compiles and opens what such a run needs, so that the first step does not wait for it. */
  async prepare<Name extends MethodName<M>>(
    method: Name,
    inputs: InputsOf<M, Name>,
    args?: ArgsOf<M, Name>,
  ): Promise<void> {
    await this.#open({ method, inputs: this.#withOwn(inputs), args })
  }

  /** Lets go of what its runs have opened, and of the memory that they worked in. The next run opens it again. */
  release(): Promise<void> {
    return this.#sessions.release(this.#complete.identity)
  }

  /**
   * The graph that such a call runs in, and all of its inputs: for measurements. `options` stand in the place of the
   * model's own.
   */
  async lowered(
    { method, inputs, args }: Call,
    compute: Compute,
    options: Partial<CompileOptions> = {},
  ): Promise<{ graph: Graph; inputs: Readonly<Record<string, Tensor>> }> {
    const all = this.#withOwn(inputs)
    const { graph } = this.#compilation({ method, inputs: all, args }, { ...this.options, ...options })
    return { graph: await this.#sessions.lowered(graph(), compute, this.#onQuantizing), inputs: all }
  }

  /** With the inputs that are settings of the model. */
  #withOwn(inputs: Readonly<Record<string, Tensor>>): Readonly<Record<string, Tensor>> {
    const { s1, s2, b1, b2 } = this.#freeu
    const freeu = this.architecture.hasFreeU && { freeu: float32([4], [s1, s2, b1, b2]) }
    return { ...inputs, ...freeu, ...this.#loras.inputs }
  }

  #compilation({ method, inputs, args }: Call, options: CompileOptions): { key: string; graph: () => Graph } {
    const { weights, identity } = this.#complete
    const shapes = Object.fromEntries(
      Object.entries(inputs).map(([name, { dtype, shape }]) => [name, { dtype, shape }]),
    )
    const run = { method, inputs: shapes, args }
    const loras = this.#loras.all
    return {
      key: JSON.stringify([identity, run, options, ...this.#loras.identities]),
      graph: () => compile(this.architecture, this.config, weights, run, options, loras),
    }
  }

  #open(call: Call): Promise<Session> {
    const { key, graph } = this.#compilation(call, this.options)
    const main = Object.values(call.inputs)[0]
    const label = `${this.architecture.className} ${main ? showShape(main.shape) : ''}`
    return this.#sessions.open(key, label, graph, { compute: this.#computesOn, onQuantizing: this.#onQuantizing })
  }

  get #computesOn(): Compute {
    return { ...this.#sessions.compute, ...this.#compute }
  }
}

/**
 * Stands for the checkpoint in cache keys: same class, same config, and the same weights in files that were not
 * touched.
 */
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
