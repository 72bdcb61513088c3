import { ProblemError } from '#app/contract/errors.ts'
import { openCheckpoint, summarise, type Checkpoint } from './folder.ts'
import { clipTextEncoder } from './layouts/clip-text.ts'
import { ldmVae } from './layouts/ldm-vae.ts'
import { openTaesd, tinyBlockKey } from './layouts/taesd.ts'
import { isFile } from './open-model.ts'
import { openWeightsFile } from './open.ts'
import type { Weights } from './weights.ts'

/**
 * An autoencoder alone: a folder of diffusers, a file of a tiny one, or a file with LDM's keys, as vae-ft-mse-840000
 * was published. That does not say how its latents are scaled: its config has no scaling_factor. Throws `bad-model`.
 */
export async function openVae(path: string): Promise<Checkpoint> {
  if (!isFile(path)) return openCheckpoint(path)
  const { weights: all } = await openWeightsFile(path)
  if ([...all.keys()].some((key) => tinyBlockKey.test(key))) {
    const tiny = await openTaesd(path, all)
    return checkpointOf(path, tiny.weights, { ...tiny.config })
  }
  const own = new Map(
    [...all].flatMap(([key, weight]) => {
      const name = key.replace(/^first_stage_model\./, '')
      return /^(encoder|decoder|quant_conv|post_quant_conv)\./.test(name) ? [[name, { ...weight, name }] as const] : []
    }),
  )
  if (!own.has('decoder.conv_in.weight'))
    throw new ProblemError('bad-model', `${path} holds no autoencoder with LDM's keys.`, { file: path })
  const { weights, config } = ldmVae(own, 'sd1')
  const { scaling_factor: _, sample_size: __, ...told } = config
  return checkpointOf(path, weights, told)
}

/** A CLIP text encoder alone: a folder of transformers, or a file of its weights, which is read as CLIP-L. */
export async function openTextEncoder(path: string): Promise<Checkpoint> {
  if (!isFile(path)) return openCheckpoint(path)
  const { weights, config } = clipTextEncoder((await openWeightsFile(path)).weights)
  return checkpointOf(path, weights, config)
}

const checkpointOf = (file: string, weights: Weights, config: Record<string, unknown>): Checkpoint => ({
  folder: file,
  config,
  weights,
  files: [...new Set([file, ...[...weights.values()].flatMap(({ source }) => ('file' in source ? source.file : []))])],
  summary: summarise(weights),
})
