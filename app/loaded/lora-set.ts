import { createHash } from 'node:crypto'
import { openLora, type LoraFile } from '#app/checkpoints/lora/open-lora.ts'
import type { LoraPart } from '#app/checkpoints/lora/keys.ts'
import { resolveLora } from '#app/checkpoints/lora/resolve.ts'
import { withRotations } from '#app/checkpoints/lora/rotations.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { loraScalesInput, type Lora } from '#app/graph/index.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'

export type LoraOptions = {
  /** How it is called in later calls; default_0, default_1 ... without it. */
  readonly name?: string | undefined
  readonly scale?: number | undefined
  /** Which of the file's parts is meant; without it the one for this kind of model. */
  readonly part?: LoraPart | undefined
}

/** What became of a LoRA's layers: how many the model has, and which of the file's part it has not. */
export type LoraReport = { readonly name: string; readonly applied: number; readonly unused: readonly string[] }

type Loaded = {
  readonly lora: Lora
  readonly file: LoraFile
  readonly part: LoraPart
  readonly identity: string
  scale: number
}

/** The LoRAs of one model. Weights are never folded: each is a branch of the graph, its scale an input. */
export class LoraSet {
  readonly #loaded = new Map<string, Loaded>()

  /** Loads one more. A file without layers for this part changes nothing and says so. */
  async load(
    source: string | LoraFile,
    weights: Weights,
    { name, scale = 1, part = 'denoiser' }: LoraOptions,
  ): Promise<LoraReport> {
    const chosen = name ?? this.#freeName()
    if (this.#loaded.has(chosen))
      throw new ProblemError('bad-input', `the LoRA name "${chosen}" is in use already; choose another name`, {
        field: 'name',
      })
    checkScale(scale)
    const file = await prepared(typeof source === 'string' ? await openLora(source) : source, part)
    const { layers, unused } = resolveLora(file, part, weights)
    if (layers.size > 0)
      this.#loaded.set(chosen, { lora: { name: chosen, layers }, file, part, identity: identityOf(file, part), scale })
    return { name: chosen, applied: layers.size, unused }
  }

  #freeName(): string {
    let i = this.#loaded.size
    while (this.#loaded.has(`default_${i}`)) i++
    return `default_${i}`
  }

  setScale(name: string, scale: number): void {
    checkScale(scale)
    this.#named(name).scale = scale
  }

  /** Takes one away, or all of them without a name. */
  unload(name?: string): void {
    if (name === undefined) return this.#loaded.clear()
    this.#named(name)
    this.#loaded.delete(name)
  }

  #named(name: string): Loaded {
    const found = this.#loaded.get(name)
    if (found) return found
    const known = [...this.#loaded.keys()].map((other) => `"${other}"`).join(', ')
    throw new ProblemError(
      'bad-input',
      `no LoRA "${name}" is loaded; ${known ? `there are ${known}` : 'there is none'}`,
      {
        field: 'name',
      },
    )
  }

  /**
   * The model's weights were exchanged: the same LoRAs on the new ones. Throws as `load`, and then nothing has changed.
   */
  moveTo(weights: Weights): void {
    const moved = [...this.#loaded].map(([name, loaded]): [string, Loaded] => {
      const { layers } = resolveLora(loaded.file, loaded.part, weights)
      return [name, { ...loaded, lora: { name, layers } }]
    })
    for (const [name, loaded] of moved) this.#loaded.set(name, loaded)
  }

  get scales(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#loaded].map(([name, { scale }]) => [name, scale]))
  }

  get all(): readonly Lora[] {
    return [...this.#loaded.values()].map(({ lora }) => lora)
  }

  /** Stand for the LoRAs in the key of a graph: the scales are not in it. */
  get identities(): readonly string[] {
    return [...this.#loaded.values()].map(({ identity }) => identity)
  }

  get inputs(): Readonly<Record<string, Tensor>> {
    const scales = [...this.#loaded.values()].map(({ scale }) => scale)
    return scales.length === 0 ? {} : { [loraScalesInput]: float32([scales.length], scales) }
  }
}

function checkScale(scale: number): void {
  if (!Number.isFinite(scale))
    throw new ProblemError('bad-input', `a LoRA's scale must be a number, not ${scale}`, { field: 'scale' })
}

/** The file with the layers of that part as a graph takes them. */
async function prepared(file: LoraFile, part: LoraPart): Promise<LoraFile> {
  const layers: LoraFile['layers'][number][] = []
  for (const one of file.layers)
    layers.push(one.part === part ? { ...one, layer: await withRotations(one.layer) } : one)
  return { ...file, layers }
}

function identityOf({ layers }: LoraFile, part: LoraPart): string {
  const hash = createHash('sha256').update(part)
  for (const { path, layer } of layers) {
    const { weights, bias, magnitude, ...numbers } = layer
    hash.update(JSON.stringify([path, numbers]))
    for (const { name, source } of [...Object.values(weights), bias, magnitude?.weight].filter(
      (one) => one !== undefined,
    ))
      hash.update('file' in source ? `${name}:${source.file}:${source.offset}` : source.bytes)
  }
  return hash.digest('hex')
}
