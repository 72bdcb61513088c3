import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Checkpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { ProfileShape } from '#app/contract/profile.ts'
import type { CompileOptions } from '#app/graph/index.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import { priorTransformer } from '#app/models/prior-transformer.ts'
import { timesformerForVideoClassification, timesformerModel, type TimesformerConfig } from '#app/models/timesformer.ts'
import { transformerTemporalModel } from '#app/models/transformer-temporal.ts'
import type { Model } from '#app/models/model.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { architectureOf } from '#app/catalog/inspect/known-models.ts'
import { normalValues } from '#app/runtime/kernels/normal-values.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { isFile, openAdapter, openModel } from '#app/checkpoints/open-model.ts'
import { joinUNetMotion } from '#app/loaded/unet-motion.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** What is measured: a model and inputs for it. */
export type Subject = {
  readonly className: string
  readonly model: Pick<
    LoadedModel,
    | 'attnProcessors'
    | 'setAttnProcessor'
    | 'enableForwardChunking'
    | 'disableForwardChunking'
    | 'computeWith'
    | 'options'
    | 'lowered'
  >
  readonly inputs: Readonly<Record<string, Tensor>>
  readonly args: CompileOptions['args']
}

type Lengths = ProfileShape & { readonly latentHeight: number; readonly latentWidth: number; readonly tokens: number }
type Inputs = Pick<Subject, 'inputs' | 'args'>
type Open = (sessions: SessionCache, checkpoint: Checkpoint, lengths: Lengths, adapter?: Checkpoint) => Subject

/** Values do not change the time, but zeros and the like would. */
const normal = (...shape: number[]): Tensor => normalValues(shape, 1)
const timestep = float32([1], [500])

const plain =
  <Config>(model: Model<Config>, inputs: (config: Config, lengths: Lengths) => Inputs): Open =>
  (sessions, { config, weights }, lengths) => {
    const loaded = new LoadedModel(model, config, weights, sessions)
    return { className: model.className, model: loaded, ...inputs(loaded.config, lengths) }
  }

const unetMotion: Open = (sessions, checkpoint, lengths, adapter) => {
  if (!adapter && checkpoint.config._class_name !== 'UNetMotionModel')
    throw new ProblemError('bad-input', 'This model makes stills; choose a motion adapter to make it move.', {
      field: 'motionAdapter',
    })
  const model = joinUNetMotion(sessions, checkpoint, adapter)
  const { config } = model
  const { batch, numFrames, latentHeight, latentWidth, tokens } = lengths
  const width = [config.cross_attention_dim].flat()[0]!
  const pooled = (config.projection_class_embeddings_input_dim ?? 0) - 6 * (config.addition_time_embed_dim ?? 0)
  const inputs = {
    sample: normal(batch, config.in_channels, numFrames, latentHeight, latentWidth),
    timestep,
    encoder_hidden_states: normal(batch, tokens, width),
    ...(config.time_cond_proj_dim != null && { timestep_cond: normal(batch, config.time_cond_proj_dim) }),
    ...(config.addition_embed_type === 'text_time' && {
      'added_cond_kwargs.text_embeds': normal(batch, pooled),
      'added_cond_kwargs.time_ids': normal(batch, 6),
    }),
  }
  return { className: 'UNetMotionModel', model, inputs, args: {} }
}

/** As many frames and as large as the config says: others are refused. */
const clip = ({ num_frames, num_channels, image_size }: TimesformerConfig, { batch }: Lengths): Inputs => {
  const [height, width = height] = [image_size].flat() as [number, number?]
  return { inputs: { pixel_values: normal(batch, num_frames, num_channels, height, width) }, args: {} }
}

const subjects: Readonly<Record<string, Open>> = {
  UNetMotionModel: unetMotion,
  UNet2DConditionModel: unetMotion,
  TransformerTemporalModel: plain(transformerTemporalModel, (config, lengths) => {
    const { batch, numFrames, latentHeight, latentWidth, tokens } = lengths
    const inner = config.num_attention_heads * config.attention_head_dim
    const context = config.double_self_attention ? inner : (config.cross_attention_dim ?? inner)
    const hidden_states = normal(batch * numFrames, config.in_channels, latentHeight, latentWidth)
    const states =
      context === inner ? {} : { encoder_hidden_states: normal(batch * latentHeight * latentWidth, tokens, context) }
    return { inputs: { hidden_states, ...states }, args: { num_frames: numFrames } }
  }),
  PriorTransformer: plain(priorTransformer, (config, { batch }) => {
    const dim = config.embedding_dim
    const tokens = config.num_embeddings + config.additional_embeddings - 4
    const inputs = {
      hidden_states: config.added_emb_type === null ? normal(batch, config.num_embeddings, dim) : normal(batch, dim),
      timestep,
      proj_embedding: normal(batch, config.embedding_proj_dim ?? dim),
      ...(config.encoder_hid_proj_type !== null && { encoder_hidden_states: normal(batch, Math.max(1, tokens), dim) }),
    }
    return { inputs, args: {} }
  }),
  PixArtTransformer2DModel: plain(pixartTransformer2d, (config, { batch, latentHeight, latentWidth }) => {
    const dim = config.num_attention_heads * config.attention_head_dim
    const [rows, columns] = [latentHeight, latentWidth].map((side) => Math.ceil(side / config.patch_size))
    const inputs = {
      hidden_states: normal(batch, config.in_channels, rows! * config.patch_size, columns! * config.patch_size),
      timestep,
      encoder_hidden_states: normal(batch, pixartTokens, config.caption_channels ?? config.cross_attention_dim ?? dim),
      ...((config.use_additional_conditions ?? config.sample_size === 128) && {
        'added_cond_kwargs.resolution': normal(batch, 2),
        'added_cond_kwargs.aspect_ratio': normal(batch, 1),
      }),
    }
    return { inputs, args: {} }
  }),
  TimesformerModel: plain(timesformerModel, clip),
  TimesformerForVideoClassification: plain(timesformerForVideoClassification, clip),
}

/** Text tokens of CLIP and of PixArt's T5, as their pipelines give them. */
const clipTokens = 77
const pixartTokens = 120
/** Pixels of a latent's side where no autoencoder tells. */
const usualFactor = 8

/**
 * Opens what is to be measured: the denoiser of a pipeline folder or single-file checkpoint, or a model's own folder, with a motion
 * adapter where its UNet is two-dimensional. Throws bad-model or bad-input naming the file or key, and unsupported naming the
 * architecture.
 */
export async function openSubject(
  sessions: SessionCache,
  path: string,
  adapterPath: string | null,
  shape: ProfileShape,
): Promise<Subject> {
  const part = ['unet', 'transformer', 'prior'].find((name) => existsSync(join(path, name, 'config.json')))
  const checkpoint = await openModel(isFile(path) || part === undefined ? path : join(path, part))
  const architecture = architectureOf(checkpoint.config) ?? 'a model without a class name'
  const open = Object.hasOwn(subjects, architecture) ? subjects[architecture] : undefined
  if (!open)
    throw new ProblemError(
      'unsupported',
      `${path} holds ${architecture}; ${Object.keys(subjects).join(', ')} can be profiled.`,
      { file: path, field: 'model' },
    )
  const factor = part === undefined ? usualFactor : await latentFactor(path)
  const lengths = {
    ...shape,
    latentHeight: Math.max(1, Math.floor(shape.height / factor)),
    latentWidth: Math.max(1, Math.floor(shape.width / factor)),
    tokens: clipTokens,
  }
  return open(sessions, checkpoint, lengths, adapterPath === null ? undefined : await openAdapter(adapterPath))
}

const vaeSchema = z.object({ block_out_channels: z.array(z.int()).min(1) })

async function latentFactor(folder: string): Promise<number> {
  const file = join(folder, 'vae', 'config.json')
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return usualFactor
  const { data } = vaeSchema.safeParse(await readJson(file))
  return data ? 2 ** (data.block_out_channels.length - 1) : usualFactor
}
