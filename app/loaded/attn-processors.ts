import { openWeightsFile } from '#app/checkpoints/open.ts'
import type { Weight, Weights } from '#app/checkpoints/weights.ts'
import { attnProcessorTable, isAddedKv, offered, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { attnProcessorSchema, isOneProcessor, type AttnProcessorMap } from '#app/contract/attn-processors.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { defaultOptions, type CompileOptions } from '#app/graph/index.ts'

const refuse = (message: string, field = 'processor'): never => {
  throw new ProblemError('bad-input', message, { field })
}

/** The attention processors of one model: diffusers' attn_processors and the calls that change them. */
export class AttnProcessors {
  /** What each layer starts with, by path. */
  readonly #initial: ReadonlyMap<string, AttnProcessor>
  readonly #files = new Map<string, Weights>()
  #chosen: CompileOptions['processors'] = defaultOptions.processors
  #beforeFusion: CompileOptions['processors'] | null = null

  constructor(weights: Weights) {
    this.#initial = attentionLayers(weights)
  }

  get chosen(): CompileOptions['processors'] {
    return this.#chosen
  }

  get map(): AttnProcessorMap {
    const { default: all, layers } = this.#chosen
    return Object.fromEntries([...this.#initial].map(([path, initial]) => [path, layers[path] ?? all ?? initial]))
  }

  /**
   * One processor for all layers, or one for each by path. Throws bad-input naming both counts, or the layer that has
   * none.
   */
  async set(given: AttnProcessor | AttnProcessorMap): Promise<void> {
    if (this.#initial.size === 0) refuse('this model has no attention layers whose processors can be set')
    const next = isOneProcessor(given)
      ? { default: given, layers: {} }
      : { default: null, layers: this.#checkedMap(given) }
    for (const processor of isOneProcessor(given) ? [given] : Object.values(given)) {
      const parsed = attnProcessorSchema.safeParse(processor)
      if (!parsed.success)
        refuse(`the attention processor ${JSON.stringify(processor)}: ${parsed.error.issues[0]?.message}`)
      if ('weights' in processor && processor.weights !== undefined) await this.#load(processor.weights)
    }
    this.#chosen = next
  }

  #checkedMap(given: AttnProcessorMap): AttnProcessorMap {
    const [paths, count] = [Object.keys(given), this.#initial.size]
    if (paths.length !== count)
      refuse(
        `${paths.length} processors were given, and the model has ${count} attention layers: give ${count}, or one for all`,
      )
    const missing = [...this.#initial.keys()].find((path) => !Object.hasOwn(given, path))
    if (missing !== undefined) refuse(`no processor was given for the attention layer "${missing}"`, missing)
    return given
  }

  setDefault(): void {
    const all = Object.values(this.map)
    const other = all.find(({ processor }) => !attnProcessorTable[processor].resets)
    const addedKv = all.filter(isAddedKv).length
    if (other || (addedKv > 0 && addedKv < all.length))
      refuse(
        `the default attention processor cannot be set while processors are of type ${(other ?? all[0])?.processor}: set a plain one first`,
      )
    this.reset({ processor: addedKv > 0 ? 'AttnAddedKVProcessor' : 'AttnProcessor' })
  }

  reset(processor: AttnProcessor): void {
    this.#chosen = { default: processor, layers: {} }
  }

  fuse(): void {
    if (Object.values(this.map).some(isAddedKv))
      refuse('fuse_qkv_projections is not supported for models that have added key and value projections')
    this.#beforeFusion = this.#chosen
    this.reset({ processor: 'FusedAttnProcessor2_0' })
  }

  unfuse(): void {
    if (this.#beforeFusion) this.#chosen = this.#beforeFusion
  }

  /** The model's weights with those that Custom Diffusion trained for the layers which ask for them. */
  completed(weights: Weights): Weights {
    const trained = new Map<string, Weight>()
    for (const [path, processor] of Object.entries(this.map)) {
      const file =
        'weights' in processor && processor.weights !== undefined ? this.#files.get(processor.weights) : undefined
      for (const [key, weight] of file ?? []) if (key.startsWith(`${path}.`)) trained.set(key, weight)
    }
    return trained.size === 0 ? weights : new Map([...weights, ...trained])
  }

  async #load(file: string): Promise<void> {
    if (this.#files.has(file)) return
    const { weights } = await openWeightsFile(file)
    const stray = [...weights.keys()].find(
      (key) => !this.#initial.has(key.replace(/(?<=\.processor)\.to_\w+_custom_diffusion\..*$/, '')),
    )
    if (stray !== undefined)
      throw new ProblemError(
        'bad-model',
        `${file} has the weight "${stray}", which belongs to no attention layer of this model: it is no Custom Diffusion file for it`,
        { file, field: stray },
      )
    this.#files.set(file, weights)
  }
}

/** A layer is where query weights are; files from before diffusers 0.17 have another name for them. */
function attentionLayers(weights: Weights): Map<string, AttnProcessor> {
  const layers = new Map<string, AttnProcessor>()
  for (const key of weights.keys()) {
    const path = /^(.*)\.(?:to_q|query)\.weight$/.exec(key)?.[1]
    if (path === undefined) continue
    const addedKv = weights.has(`${path}.add_k_proj.weight`)
    layers.set(`${path}.processor`, offered(addedKv)[0]!)
  }
  return layers
}
