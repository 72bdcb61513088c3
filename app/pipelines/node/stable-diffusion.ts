import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { openTextEncoder, openVae } from '#app/checkpoints/open-part.ts'
import type { AttnChoice } from '#app/contract/attn-processors.ts'
import type { Compute } from '#app/contract/compute.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import { autoencoderTiny } from '#app/models/autoencoder-tiny.ts'
import { classNameOf } from '#app/models/classes.ts'
import { clipTextModel, clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { changedConfig } from '#app/schedulers/config.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import type { unet2dConditionModel } from '#app/models/unet-2d-condition.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { OnQuantizing } from '#app/runtime/quantize/quantize-cache.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { pipelineLoras, type PipelineLoras } from '#app/loaded/pipeline-loras.ts'
import type { Residuals } from '../conditioning.ts'
import type { DenoiserInputs, DiffusionParts } from '../diffusion.ts'
import type { SdxlText } from '../sdxl-prompt.ts'
import { withWords } from '#app/tokenizers/tokenizer.ts'
import { openAutoencoder, type Autoencoder } from './autoencoder.ts'
import { addWords, type ChosenEmbedding } from './embeddings.ts'
import { openPipelineSource } from './pipeline-source.ts'
import { schedulersOf, type Schedule } from './scheduler.ts'
import { sdxlText } from './sdxl-text.ts'

export type DiffusionOptions = Schedule & {
  readonly forwardChunking: ForwardChunking | null
  /** The UNet's attention processors; null or absent for the default. */
  readonly attnProcessor?: AttnChoice | null
  readonly fuseQkv?: boolean
  /** The side of the tiles in which pictures are decoded, in pixels; null or absent for whole ones. */
  readonly vaeTiling?: number | null
  /** The checkpoint's schedule is brought up to date, as StableDiffusionPipeline does and AnimateDiff's do not. */
  readonly updatesSchedule?: boolean
  /** Words of textual inversions. */
  readonly embeddings?: readonly ChosenEmbedding[] | undefined
  /** An autoencoder and a text encoder, folder or file, in the place of the checkpoint's own. */
  readonly vae?: string | undefined
  readonly textEncoder?: string | undefined
  /** Where a single-file checkpoint finds a tokenizer when none lies beside it. */
  readonly tokenizerFolder?: string | undefined
  /** As the session cache has it without. */
  readonly compute?: Compute | undefined
  readonly onQuantizing?: OnQuantizing | undefined
}

type Denoiser = Pick<
  LoadedModel<typeof unet2dConditionModel>,
  | 'run'
  | 'computeWith'
  | 'enableFreeu'
  | 'disableFreeu'
  | 'enableForwardChunking'
  | 'setAttnProcessor'
  | 'fuseQkvProjections'
  | 'loadLora'
  | 'setLoraScale'
  | 'unloadLora'
  | 'loraScales'
> & { readonly architecture: { readonly className: string } }

/** Makes the denoiser of the UNet's checkpoint; `checkpoints` names others that it was made of. */
export type OpenDenoiser = (
  sessions: SessionCache,
  unet: Checkpoint,
) => { readonly denoiser: Denoiser; readonly checkpoints?: Readonly<Record<string, Checkpoint>> }

export type Opened<Parts> = {
  readonly parts: Parts
  /** The checkpoints it was opened from, by the name of their part. */
  readonly checkpoints: Readonly<Record<string, Checkpoint>>
  readonly autoencoder: Autoencoder
  /** Where the checkpoint has two text encoders, as Stable Diffusion XL. */
  readonly xl?: SdxlText
  /** Of all models that take LoRAs together, as diffusers' load_lora_weights. */
  readonly loras: PipelineLoras
}
export type OpenDiffusion = Opened<DiffusionParts>

/**
 * Opens a Stable Diffusion folder or single-file checkpoint with the denoiser that `openDenoiser` makes of its UNet.
 * Throws bad-model or bad-input naming the file or key.
 */
export async function openStableDiffusion(
  sessions: SessionCache,
  path: string,
  openDenoiser: OpenDenoiser,
  options: DiffusionOptions,
): Promise<OpenDiffusion> {
  const { unet, tokenizer, second, ...source } = await openPipelineSource(path, options.tokenizerFolder)
  const textEncoder =
    options.textEncoder === undefined ? source.textEncoder : await openTextEncoder(options.textEncoder)
  const vae = options.vae === undefined ? source.vae : await otherVae(options.vae, source.vae)
  const { denoiser, checkpoints } = openDenoiser(sessions, unet)
  const text = new LoadedModel(clipTextModel, textEncoder.config, textEncoder.weights, sessions)
  const words = await addWords(options.embeddings ?? [], 'text_encoder', text.config)
  const compute = { ...sessions.compute, ...options.compute }
  const autoencoder = openAutoencoder(vae, sessions, compute, options.vaeTiling)
  const text2 =
    second &&
    new LoadedModel(clipTextModelWithProjection, second.textEncoder.config, second.textEncoder.weights, sessions)
  const words2 = text2 && (await addWords(options.embeddings ?? [], 'text_encoder_2', text2.config))
  for (const model of [text, denoiser, ...(text2 ? [text2] : [])]) model.computeWith(compute, options.onQuantizing)
  if (options.forwardChunking)
    denoiser.enableForwardChunking(options.forwardChunking.chunkSize, options.forwardChunking.dim)
  if (options.attnProcessor) await asSetting('attnProcessor', () => denoiser.setAttnProcessor(options.attnProcessor!))
  if (options.fuseQkv) await asSetting('fuseQkv', () => denoiser.fuseQkvProjections())
  const isOld = options.updatesSchedule && second === undefined
  const ownSchedule = { ...source.schedulerConfig, ...(isOld && { steps_offset: 1, clip_sample: false }) }

  const parts: DiffusionParts = {
    denoiserClass: denoiser.architecture.className,
    tokenizer: withWords(tokenizer, words.words),
    encodeText: async (ids, clipSkip) => {
      return toFloat32((await text.run('forward', words.inputs(ids), { clip_skip: clipSkip })).last_hidden_state)
    },
    denoise: async ({ sample, timestep, encoderHiddenStates, freeu, timestepCond, added, residuals, imagePrompts }) => {
      if (freeu) denoiser.enableFreeu(freeu)
      else denoiser.disableFreeu()
      const inputs = {
        sample,
        timestep,
        encoder_hidden_states: encoderHiddenStates,
        ...(timestepCond && { timestep_cond: timestepCond }),
        ...(added && {
          'added_cond_kwargs.text_embeds': added.textEmbeds,
          'added_cond_kwargs.time_ids': added.timeIds,
        }),
        ...(residuals && residualInputs(residuals)),
        ...(imagePrompts && imagePromptInputs(imagePrompts)),
      }
      return toFloat32((await denoiser.run('forward', inputs)).sample)
    },
    decode: autoencoder.decode,
    encode: autoencoder.encode,
    createScheduler: schedulersOf(ownSchedule, options),
    latentChannels: autoencoder.latentChannels,
    vaeScaleFactor: autoencoder.vaeScaleFactor,
    scalingFactor: autoencoder.scalingFactor,
    numTrainTimesteps: Number(changedConfig(ownSchedule, options.schedulerConfig ?? {}).num_train_timesteps ?? 1000),
  }
  return {
    parts,
    checkpoints: {
      text_encoder: textEncoder,
      vae,
      unet,
      ...(second && { text_encoder_2: second.textEncoder }),
      ...checkpoints,
    },
    autoencoder,
    loras: pipelineLoras({ denoiser, text_encoder: text, ...(text2 && { text_encoder_2: text2 }) }),
    ...(second &&
      text2 &&
      words2 && {
        xl: sdxlText(
          { model: text, tokenizer, words },
          { model: text2, tokenizer: second.tokenizer, words: words2 },
          source.forceZeros,
        ),
      }),
  }
}

/**
 * Another autoencoder: one that does not say how latents are scaled has the model's own scale; a tiny one takes them as
 * they are.
 */
async function otherVae(path: string, own: Checkpoint): Promise<Checkpoint> {
  const vae = await openVae(path)
  if (classNameOf(vae.config) === autoencoderTiny.className) return vae
  return { ...vae, config: { scaling_factor: own.config.scaling_factor, ...vae.config } }
}

const residualInputs = ({ down, mid }: Residuals) => ({
  ...Object.fromEntries(down.map((state, i) => [`down_block_additional_residuals.${i}`, state] as const)),
  mid_block_additional_residual: mid,
})

const imagePromptInputs = ({ embeds, scales }: NonNullable<DenoiserInputs['imagePrompts']>) => ({
  ...Object.fromEntries(embeds.map((one, i) => [`added_cond_kwargs.image_embeds.${i}`, one] as const)),
  ip_adapter_scale: float32([scales.length], scales),
})

/** The model names the layer or the processor; whoever asks has one setting for all of them. */
export async function asSetting(field: 'attnProcessor' | 'fuseQkv', work: () => void | Promise<void>): Promise<void> {
  try {
    await work()
  } catch (error) {
    const { code, message } = toProblem(error)
    throw new ProblemError(code, message, { field, cause: error })
  }
}
