import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { openCheckpoint, type Checkpoint } from '#app/checkpoints/folder.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import { autoencoderKl, type AutoencoderKlConfig } from '#app/models/autoencoder-kl.ts'
import { clipTextModel } from '#app/models/clip-text.ts'
import type { TextToVideoParts } from '#app/pipelines/text-to-video.ts'
import { parseSchedulerConfig } from '#app/schedulers/config.ts'
import { createScheduler } from '#app/schedulers/create.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { createClipTokenizer } from '#app/tokenizers/clip.ts'
import { createHuggingFaceTokenizer } from '#app/tokenizers/hugging-face.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { LoadedModel } from '../loaded-model.ts'
import type { SessionCache } from '../session-cache.ts'
import { joinUNetMotion } from './unet-motion.ts'

export type TextToVideoOptions = {
  readonly forwardChunking: ForwardChunking | null
  /** A scheduler's class name, or null for the checkpoint's own. */
  readonly scheduler: string | null
  readonly eta: number
  /** Keys that replace those of scheduler_config.json. */
  readonly schedulerConfig?: Readonly<Record<string, unknown>>
}

export type OpenTextToVideo = {
  readonly parts: TextToVideoParts
  /** The checkpoints it was opened from, by the name of their part. */
  readonly checkpoints: Readonly<Record<string, Checkpoint>>
  readonly autoencoder: LoadedModel<AutoencoderKlConfig>
}

const schedulerSchema = z.looseObject({ _class_name: z.string().optional() })

/**
 * Opens a Stable Diffusion folder (text_encoder, tokenizer, unet, vae, scheduler), with a MotionAdapter folder where its UNet is
 * two-dimensional. Throws bad-model or bad-input naming the file or key.
 */
export async function openTextToVideo(
  sessions: SessionCache,
  folder: string,
  adapterFolder: string | null,
  options: TextToVideoOptions,
): Promise<OpenTextToVideo> {
  const [textEncoder, vae, unet] = (await Promise.all(
    ['text_encoder', 'vae', 'unet'].map((name) => openCheckpoint(join(folder, name))),
  )) as [Checkpoint, Checkpoint, Checkpoint]
  const adapter = adapterFolder === null ? undefined : await openCheckpoint(adapterFolder)
  if (!adapter && unet.config._class_name !== 'UNetMotionModel')
    throw new ProblemError('bad-input', 'This model makes stills; choose a motion adapter to make it move.', {
      field: 'motionAdapter',
    })

  const text = new LoadedModel(clipTextModel, textEncoder.config, textEncoder.weights, sessions)
  const autoencoder = new LoadedModel(autoencoderKl, vae.config, vae.weights, sessions)
  const motion = joinUNetMotion(sessions, unet, adapter)
  if (options.forwardChunking)
    motion.enableForwardChunking(options.forwardChunking.chunkSize, options.forwardChunking.dim)
  const schedulerFile = join(folder, 'scheduler', 'scheduler_config.json')
  const schedulerConfig = {
    ...schedulerSchema.parse(parseSchedulerConfig((await textOf(schedulerFile)) ?? '{}')),
    ...options.schedulerConfig,
  }
  const { config } = autoencoder

  const parts: TextToVideoParts = {
    tokenizer: await openClipTokenizer(join(folder, 'tokenizer')),
    encodeText: async (ids, clipSkip) =>
      toFloat32(
        (await text.forward({ input_ids: ids }, clipSkip === 0 ? {} : { clip_skip: clipSkip })).last_hidden_state!,
      ),
    denoise: async (sample, timestep, encoderHiddenStates, freeu) => {
      if (freeu) motion.enableFreeu(freeu)
      else motion.disableFreeu()
      return toFloat32((await motion.forward({ sample, timestep, encoder_hidden_states: encoderHiddenStates })).sample!)
    },
    decode: (latents) => decodeLatents(autoencoder, latents),
    createScheduler: (steps) =>
      createScheduler(schedulerConfig, options.scheduler ?? schedulerConfig._class_name ?? 'DDIMScheduler', steps, {
        eta: options.eta,
      }),
    latentChannels: config.latent_channels,
    vaeScaleFactor: 2 ** (config.block_out_channels.length - 1),
    scalingFactor: config.scaling_factor,
  }
  return {
    parts,
    checkpoints: { text_encoder: textEncoder, vae, unet, ...(adapter && { motion_adapter: adapter }) },
    autoencoder,
  }
}

export async function decodeLatents(
  autoencoder: LoadedModel<AutoencoderKlConfig>,
  z: Tensor<'float32'>,
): Promise<Tensor<'float32'>> {
  return toFloat32((await autoencoder.forward({ z }, { part: 'decode' })).sample!)
}

/** A tokenizer folder: vocab.json and merges.txt, or a tokenizer.json alone. */
export async function openClipTokenizer(folder: string): Promise<Tokenizer> {
  const [vocab, merges, tokenizerConfig, specialTokensMap, tokenizer] = await Promise.all(
    ['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json', 'tokenizer.json'].map((name) =>
      textOf(join(folder, name)),
    ),
  )
  if (vocab !== undefined && merges !== undefined)
    return createClipTokenizer({ vocab, merges, tokenizerConfig, specialTokensMap })
  if (tokenizer !== undefined && tokenizerConfig !== undefined)
    return createHuggingFaceTokenizer({ tokenizer, tokenizerConfig })
  throw new ProblemError(
    'bad-model',
    `${folder} has no tokenizer: vocab.json and merges.txt, or tokenizer.json, are missing`,
    { file: folder },
  )
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ProblemError('bad-model', `${file} cannot be read`, { file, cause: error })
  }
}
