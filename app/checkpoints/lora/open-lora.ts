import { existsSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { sizeOf } from '#app/tensor/tensor.ts'
import { quoted } from '../file.ts'
import { readJson } from '../json.ts'
import { contentsOf } from '../layouts/contents.ts'
import { openWeightsFile } from '../open.ts'
import { readWeight } from '../read.ts'
import type { Weight } from '../weights.ts'
import { parseLoraKey, type LoraPart, type LoraRole } from './keys.ts'
import { kindOf } from './kinds.ts'
import type { LoraLayer } from './layer.ts'
import { trainedAlpha, trainedSettings, type TrainedSettings } from './metadata.ts'

export type LoraFile = {
  readonly file: string
  readonly layers: readonly {
    readonly part: LoraPart
    readonly path: string
    /** Where the kind has one. */
    readonly rank: number | undefined
    readonly layer: LoraLayer
  }[]
}

type Found = { readonly part: LoraPart; readonly path: string; readonly weights: Partial<Record<LoraRole, Weight>> }

/**
 * Opens a LoRA file (.safetensors; or a PyTorch zip, as AnimateDiff's motion LoRAs are), of any kind in `LoraKind`.
 * Only its numbers are read, such as alphas. Throws `bad-model` naming the key that is of no known kind, or the weight
 * that is missing.
 */
export async function openLora(file: string): Promise<LoraFile> {
  const { weights, metadata } = await openWeightsFile(file)
  const refuse = (reason: string): never => {
    throw new ProblemError('bad-model', `${file} cannot be used as a LoRA: ${reason}.`, { file })
  }
  const { kind, name } = contentsOf(weights)
  if (kind !== 'lora') return refuse(`it holds ${name}`)

  const found = new Map<string, Found>()
  for (const [key, weight] of weights) {
    const parsed = parseLoraKey(key)
    if (!parsed) return refuse(`${quoted(key)} is a name that no kind of LoRA has`)
    const place = `${parsed.part} ${parsed.path}`
    const entry = found.get(place) ?? { part: parsed.part, path: parsed.path, weights: {} }
    if (entry.weights[parsed.role]) return refuse(`${quoted(key)} stands for a weight that it has twice`)
    entry.weights[parsed.role] = weight
    found.set(place, entry)
  }
  const settings = await settingsOf(file, metadata)
  const numberOf = async (weight: Weight | undefined, what: string): Promise<number | undefined> => {
    if (!weight) return undefined
    if (sizeOf(weight.shape) !== 1) return refuse(`the ${what} ${quoted(weight.name)} is not one number`)
    return toFloat32(await readWeight(weight)).data[0]
  }
  const layers: LoraFile['layers'][number][] = []
  for (const { part, path, weights: all } of found.values()) {
    const { alpha, bias, on_input, magnitude, dora_scale, ...changes } = all
    if (!bias && !Object.keys(changes).length) continue // an alpha of a layer that was left out
    const { kind, rank, missing } = kindOf(changes)
    if (missing) return refuse(`the layer ${quoted(path)} has no ${missing} weight`)
    if (changes.scaling && !on_input)
      return refuse(`${quoted(changes.scaling.name)} is a name that no kind of LoRA has`)
    const { down, up } = changes
    if (down && up && up.shape[1] !== rank)
      return refuse(`the two weights of the layer ${quoted(path)} have the ranks ${rank} and ${up.shape[1]}`)
    const size = magnitude ?? dora_scale
    if (size && !['LoRA', 'LoHa', 'LoKr'].includes(kind))
      return refuse(`${quoted(size.name)} is the magnitude of a DoRA, which a ${kind} has not`)
    const written = (await numberOf(alpha, 'alpha')) ?? trainedAlpha(settings[part], path)
    const turns = kind === 'OFT' || kind === 'BOFT'
    const whole = rank === undefined || written === undefined || turns
    const divisor = settings[part]?.use_rslora ? Math.sqrt(rank ?? 1) : (rank ?? 1)
    layers.push({
      part,
      path,
      rank,
      layer: {
        kind,
        weights: changes,
        factor: whole ? 1 : written / divisor,
        ...(bias && { bias }),
        ...(size && { magnitude: { weight: size, by: magnitude ? 'PEFT' : 'LyCORIS' } }),
        ...(on_input && { onInput: (await numberOf(on_input, 'on_input')) !== 0 }),
        ...(turns && { constraint: written ?? 0 }),
      },
    })
  }
  return { file, layers }
}

const adapterConfig = z.looseObject({ peft_type: z.string().optional() })

/**
 * The settings that a LoRA was trained with, from its own header, or for one that PEFT saved from the file beside it.
 */
async function settingsOf(
  file: string,
  metadata: Readonly<Record<string, string>>,
): Promise<Partial<Record<LoraPart, TrainedSettings>>> {
  const beside = join(dirname(file), 'adapter_config.json')
  if (basename(file).startsWith('adapter_model.') && existsSync(beside)) {
    const config = adapterConfig.parse(await readJson(beside))
    return trainedSettings(config, file)
  }
  const text = metadata.lora_adapter_metadata
  if (text === undefined) return {}
  try {
    return trainedSettings(JSON.parse(text), file)
  } catch (cause) {
    if (cause instanceof ProblemError) throw cause
    throw new ProblemError('bad-model', `${file}: its lora_adapter_metadata is not valid JSON.`, { file, cause })
  }
}
