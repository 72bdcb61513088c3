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
import type { LoraLayer } from './layer.ts'
import { trainedAlpha, trainedSettings, type TrainedSettings } from './metadata.ts'

export type LoraFile = {
  readonly file: string
  readonly layers: readonly { readonly part: LoraPart; readonly path: string; readonly layer: LoraLayer }[]
}

type Found = { part: LoraPart; path: string } & Partial<Record<LoraRole, Weight>>

/**
 * Opens a LoRA file (.safetensors; or a PyTorch zip, as AnimateDiff's motion LoRAs are). Only its alphas are read.
 * Throws `bad-model` naming the key that is of no known kind or lacks its other half, `unsupported` for other
 * kinds, such as LoHa, LoKr and DoRA.
 */
export async function openLora(file: string): Promise<LoraFile> {
  const { weights, metadata } = await openWeightsFile(file)
  const refuse = (reason: string, code: 'bad-model' | 'unsupported' = 'bad-model'): never => {
    throw new ProblemError(code, `${file} cannot be used as a LoRA: ${reason}.`, { file })
  }
  const { kind, name } = contentsOf(weights)
  if (kind !== 'lora') return refuse(`it holds ${name}`)

  const found = new Map<string, Found>()
  for (const [key, weight] of weights) {
    const kin = unsupportedKinds.find(({ mark }) => mark.test(key))
    if (kin) return refuse(`it is ${kin.name}, as ${quoted(key)} shows, which is not supported`, 'unsupported')
    const parsed = parseLoraKey(key)
    if (!parsed) return refuse(`${quoted(key)} is a name that no kind of LoRA has`)
    const place = `${parsed.part} ${parsed.path}`
    const entry = found.get(place) ?? { part: parsed.part, path: parsed.path }
    if (entry[parsed.role]) return refuse(`${quoted(key)} stands for a weight that it has twice`)
    entry[parsed.role] = weight
    found.set(place, entry)
  }
  const settings = await settingsOf(file, metadata)
  const layers: LoraFile['layers'][number][] = []
  for (const { part, path, down, up, mid, alpha } of found.values()) {
    if (!down || !up) {
      if (!down && !up && !mid) continue // an alpha of a layer that was left out
      return refuse(`the layer ${quoted(path)} has no ${down ? 'up' : 'down'} weight`)
    }
    const rank = down.shape[0]!
    if (up.shape[1] !== rank)
      return refuse(`the two weights of the layer ${quoted(path)} have the ranks ${rank} and ${up.shape[1]}`)
    if (alpha && sizeOf(alpha.shape) !== 1) return refuse(`the alpha ${quoted(alpha.name)} is not one number`)
    const written = alpha ? toFloat32(await readWeight(alpha)).data[0]! : trainedAlpha(settings[part], path)
    const divisor = settings[part]?.use_rslora ? Math.sqrt(rank) : rank
    layers.push({
      part,
      path,
      layer: { down, up, ...(mid && { mid }), factor: written === undefined ? 1 : written / divisor },
    })
  }
  return { file, layers }
}

const unsupportedKinds = [
  { mark: /\.hada_/, name: 'a LoHa' },
  { mark: /\.lokr_/, name: 'a LoKr' },
  { mark: /\.oft_/, name: 'an OFT or a BOFT' },
  { mark: /\.dora_scale$|lora_magnitude_vector/, name: 'a DoRA' },
  // LyCORIS' other kinds: lycoris/modules/{glora,full,ia3,norms}.py
  { mark: /\.[ab][12]\.weight$/, name: 'a GLoRA' },
  { mark: /\.diff(_b)?$/, name: 'a full difference (LyCORIS)' },
  { mark: /\.on_input$/, name: 'an IA3' },
  { mark: /\.[wb]_norm$/, name: 'a LoCon with trained norms' },
]

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
