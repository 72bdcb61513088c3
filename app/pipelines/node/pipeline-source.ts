import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson } from '#app/checkpoints/json.ts'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { openSingleFile, partOf } from '#app/checkpoints/layouts/single-file.ts'
import { readSchedulerConfig, type SchedulerConfig } from '#app/schedulers/config.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { isFile } from '#app/checkpoints/open-model.ts'
import { findTokenizer, noTokenizer, openClipTokenizer, textOf } from '#app/tokenizers/node/clip-tokenizer.ts'

/** What a Stable Diffusion pipeline is made of, from wherever it comes. */
export type PipelineSource = {
  readonly textEncoder: Checkpoint
  readonly vae: Checkpoint
  readonly unet: Checkpoint
  readonly schedulerConfig: SchedulerConfig
  readonly tokenizer: Tokenizer
  /** Stable Diffusion XL's other text encoder. */
  readonly second?: { readonly textEncoder: Checkpoint; readonly tokenizer: Tokenizer }
  /** Stable Diffusion XL: without a negative prompt there are zeros in its place. */
  readonly forceZeros: boolean
}

/**
 * Opens a Stable Diffusion folder (text_encoder, tokenizer, unet, vae, scheduler) or a single-file checkpoint, whose
 * tokenizer is looked for beside it and in `tokenizerFolder`. Throws bad-model naming the file or key, or saying where
 * to put a tokenizer.
 */
export const openPipelineSource = (path: string, tokenizerFolder?: string): Promise<PipelineSource> =>
  isFile(path) ? fromFile(path, tokenizerFolder) : fromFolder(path)

const indexSchema = z.looseObject({ force_zeros_for_empty_prompt: z.boolean().default(true) })

async function fromFolder(folder: string): Promise<PipelineSource> {
  const [textEncoder, vae, unet] = (await Promise.all(
    ['text_encoder', 'vae', 'unet'].map((name) => openCheckpoint(join(folder, name))),
  )) as [Checkpoint, Checkpoint, Checkpoint]
  const second = existsSync(join(folder, 'text_encoder_2'))
    ? {
        textEncoder: await openCheckpoint(join(folder, 'text_encoder_2')),
        tokenizer: await openClipTokenizer(join(folder, 'tokenizer_2')),
      }
    : undefined
  const index = join(folder, 'model_index.json')
  const pipeline = indexSchema.parse(existsSync(index) ? await readJson(index) : {})
  const schedulerFile = join(folder, 'scheduler', 'scheduler_config.json')
  return {
    textEncoder,
    vae,
    unet,
    schedulerConfig: readSchedulerConfig((await textOf(schedulerFile)) ?? '{}'),
    tokenizer: await openClipTokenizer(join(folder, 'tokenizer')),
    ...(second && { second }),
    forceZeros: pipeline.force_zeros_for_empty_prompt,
  }
}

async function fromFile(file: string, tokenizerFolder: string | undefined): Promise<PipelineSource> {
  const single = await openSingleFile(file)
  const textEncoder = partOf(single, 'text_encoder')
  const size = Number(textEncoder.config.vocab_size)
  const folder = await findTokenizer(file, size, tokenizerFolder === undefined ? [] : [tokenizerFolder])
  if (folder === undefined) throw noTokenizer(file, size)
  return {
    textEncoder,
    vae: partOf(single, 'vae'),
    unet: partOf(single, 'unet'),
    schedulerConfig: readSchedulerConfig(JSON.stringify(single.schedulerConfig)),
    tokenizer: await openClipTokenizer(folder, single.family === 'sd2' ? { padToken: '!' } : {}),
    ...(single.family === 'sdxl' && {
      second: {
        textEncoder: partOf(single, 'text_encoder_2'),
        tokenizer: await openClipTokenizer(folder, { padToken: '!' }),
      },
    }),
    forceZeros: true,
  }
}
