import type { Checkpoint } from '#app/checkpoints/folder.ts'
import type { AttnChoice } from '#app/contract/attn-processors.ts'
import type { Compute } from '#app/contract/compute.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import { autoencoderKl, type AutoencoderKlConfig } from '#app/models/autoencoder-kl.ts'
import { clipTextModel } from '#app/models/clip-text.ts'
import type { TextToVideoParts } from '../text-to-video.ts'
import { createScheduler } from '#app/schedulers/create.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { openAdapter } from '#app/checkpoints/open-model.ts'
import { pipelineLoras, type PipelineLoras } from '#app/loaded/pipeline-loras.ts'
import { openPipelineSource } from './pipeline-source.ts'
import { joinUNetMotion } from '#app/loaded/unet-motion.ts'

export type TextToVideoOptions = {
  readonly forwardChunking: ForwardChunking | null
  /** The UNet's attention processors; null or absent for the default. */
  readonly attnProcessor?: AttnChoice | null
  readonly fuseQkv?: boolean
  /** A scheduler's class name, or null for the checkpoint's own. */
  readonly scheduler: string | null
  readonly eta: number
  /** Keys that replace those of scheduler_config.json. */
  readonly schedulerConfig?: Readonly<Record<string, unknown>>
  /** Where a single-file checkpoint finds a tokenizer when none lies beside it. */
  readonly tokenizerFolder?: string | undefined
  /** As the session cache has it without. */
  readonly compute?: Compute | undefined
  readonly onQuantizing?: OnQuantizing | undefined
}

export type OpenTextToVideo = {
  readonly parts: TextToVideoParts
  /** The checkpoints it was opened from, by the name of their part. */
  readonly checkpoints: Readonly<Record<string, Checkpoint>>
  readonly autoencoder: LoadedModel<AutoencoderKlConfig>
  /** Of the denoiser and the text encoder together, as diffusers' load_lora_weights. */
  readonly loras: PipelineLoras
}

/**
 * Opens a Stable Diffusion folder or single-file checkpoint, with a MotionAdapter folder or a file of motion modules where its UNet is
 * two-dimensional. Throws bad-model or bad-input naming the file or key.
 */
export async function openTextToVideo(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  options: TextToVideoOptions,
): Promise<OpenTextToVideo> {
  const { textEncoder, vae, unet, tokenizer, ...source } = await openPipelineSource(path, options.tokenizerFolder)
  const adapter = adapterPath === null ? undefined : await openAdapter(adapterPath)
  if (!adapter && unet.config._class_name !== 'UNetMotionModel')
    throw new ProblemError('bad-input', 'This model makes stills; choose a motion adapter to make it move.', {
      field: 'motionAdapter',
    })

  const text = new LoadedModel(clipTextModel, textEncoder.config, textEncoder.weights, sessions)
  const autoencoder = new LoadedModel(autoencoderKl, vae.config, vae.weights, sessions)
  const motion = joinUNetMotion(sessions, unet, adapter)
  const compute = { ...sessions.compute, ...options.compute }
  for (const model of [text, motion]) model.computeWith(compute, options.onQuantizing)
  // Errors in frames are seen as they are, and decoding takes a small part of a run
  // (docs/decisions/precision.md, "Frames are decoded in float32").
  autoencoder.computeWith({ ...compute, precision: 'float32' })
  if (options.forwardChunking)
    motion.enableForwardChunking(options.forwardChunking.chunkSize, options.forwardChunking.dim)
  if (options.attnProcessor) await asSetting('attnProcessor', () => motion.setAttnProcessor(options.attnProcessor!))
  if (options.fuseQkv) await asSetting('fuseQkv', () => motion.fuseQkvProjections())
  const schedulerConfig = { ...source.schedulerConfig, ...options.schedulerConfig }
  const { config } = autoencoder

  const parts: TextToVideoParts = {
    tokenizer,
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
    loras: pipelineLoras({ denoiser: motion, text_encoder: text }),
  }
}

/** The model names the layer or the processor; whoever asks has one setting for all of them. */
async function asSetting(field: 'attnProcessor' | 'fuseQkv', work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const { code, message } = toProblem(error)
    throw new ProblemError(code, message, { field, cause: error })
  }
}

export async function decodeLatents(
  autoencoder: LoadedModel<AutoencoderKlConfig>,
  z: Tensor<'float32'>,
): Promise<Tensor<'float32'>> {
  return toFloat32((await autoencoder.forward({ z }, { part: 'decode' })).sample!)
}
