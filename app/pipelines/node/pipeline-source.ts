import { join } from 'node:path'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { familyNames } from '#app/checkpoints/layouts/family.ts'
import { openSingleFile, partOf } from '#app/checkpoints/layouts/single-file.ts'
import { ProblemError } from '#app/contract/errors.ts'
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
}

/**
 * Opens a Stable Diffusion folder (text_encoder, tokenizer, unet, vae, scheduler) or a single-file checkpoint, whose
 * tokenizer is looked for beside it and in `tokenizerFolder`. Throws bad-model naming the file or key, or saying where
 * to put a tokenizer.
 */
export const openPipelineSource = (path: string, tokenizerFolder?: string): Promise<PipelineSource> =>
  isFile(path) ? fromFile(path, tokenizerFolder) : fromFolder(path)

async function fromFolder(folder: string): Promise<PipelineSource> {
  const [textEncoder, vae, unet] = (await Promise.all(
    ['text_encoder', 'vae', 'unet'].map((name) => openCheckpoint(join(folder, name))),
  )) as [Checkpoint, Checkpoint, Checkpoint]
  const schedulerFile = join(folder, 'scheduler', 'scheduler_config.json')
  return {
    textEncoder,
    vae,
    unet,
    schedulerConfig: readSchedulerConfig((await textOf(schedulerFile)) ?? '{}'),
    tokenizer: await openClipTokenizer(join(folder, 'tokenizer')),
  }
}

async function fromFile(file: string, tokenizerFolder: string | undefined): Promise<PipelineSource> {
  const single = await openSingleFile(file)
  if (single.family === 'sdxl')
    throw new ProblemError(
      'unsupported',
      `${file} is a ${familyNames.sdxl} checkpoint: it cannot be used here. Those of 1.x and 2.x can.`,
      { file },
    )
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
  }
}
