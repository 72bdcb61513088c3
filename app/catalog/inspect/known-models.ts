import { z } from 'zod'
import type { Weights } from '#app/checkpoints/weights.ts'
import { autoencoderKl } from '#app/models/autoencoder-kl.ts'
import { auditKeys, type KeyAudit, type Run } from '#app/models/audit-keys.ts'
import { clipTextModel, clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { clipVisionModelWithProjection } from '#app/models/clip-vision.ts'
import { parseConfig, type InputShapes, type Model } from '#app/models/model.ts'
import { isMotionKey } from '#app/models/motion-adapter.ts'
import { pixartTransformer2d } from '#app/models/pixart-transformer-2d.ts'
import { priorTransformer } from '#app/models/prior-transformer.ts'
import { t5EncoderModel } from '#app/models/t5-encoder.ts'
import { timesformerForVideoClassification, timesformerModel, type TimesformerConfig } from '#app/models/timesformer.ts'
import { transformerTemporalModel } from '#app/models/transformer-temporal.ts'
import { unet2dConditionModel } from '#app/models/unet-2d-condition.ts'
import { unet3dConditionModel } from '#app/models/unet-3d-condition.ts'
import { joinedConfig, motionAdapterConfig } from '#app/models/unet-motion-join.ts'
import { unetMotionModel } from '#app/models/unet-motion.ts'
import { vqModel } from '#app/models/vq-model.ts'
import type { Shape } from '#app/tensor/tensor.ts'

/** Compares a config and weights with the architecture. Throws what is wrong with the config, or what it asks for that is not supported. */
type Audit = (config: Record<string, unknown>, weights: Weights) => KeyAudit

const float = (...shape: number[]) => ({ dtype: 'float32', shape }) as const
const ids = { input_ids: { dtype: 'int64', shape: [1, 2] } } as const

/** The smallest inputs that reach every layer: their values never matter, because nothing is run. */
const audit =
  <Config>(model: Model<Config>, runs: (config: Config) => readonly Run[]): Audit =>
  (json, weights) => {
    const config = parseConfig(model, json)
    return auditKeys(model, config, weights, runs(config))
  }

const first = (value: number | readonly number[]): number => (typeof value === 'number' ? value : value.at(-1)!)

type TextTime = {
  addition_embed_type?: string | null | undefined
  addition_time_embed_dim?: number | null | undefined
  projection_class_embeddings_input_dim?: number | null | undefined
  time_cond_proj_dim?: number | null | undefined
}

/** Width and height at which every resampling has something left. */
const side = (levels: readonly unknown[]): number => 2 ** levels.length

function conditions(config: TextTime): InputShapes {
  const condition = config.time_cond_proj_dim == null ? {} : { timestep_cond: float(1, config.time_cond_proj_dim) }
  if (config.addition_embed_type !== 'text_time') return condition
  const pooled = config.projection_class_embeddings_input_dim! - 6 * config.addition_time_embed_dim!
  return {
    ...condition,
    'added_cond_kwargs.text_embeds': float(1, pooled),
    'added_cond_kwargs.time_ids': float(1, 6),
  }
}

const timestep = float(1)

const unetMotion = audit(unetMotionModel, (config) => [
  {
    inputs: {
      sample: float(1, config.in_channels, 1, side(config.block_out_channels), side(config.block_out_channels)),
      timestep,
      encoder_hidden_states: float(1, 1, first(config.cross_attention_dim)),
      ...conditions(config),
    },
  },
])

/** The modules of an adapter in a UNet around them: only their own keys count. */
const motionAdapter: Audit = (json, weights) => {
  const adapter = parseConfig({ className: 'MotionAdapter', config: motionAdapterConfig }, json)
  const { block_out_channels: channels, motion_layers_per_block: layers } = adapter
  const around = {
    block_out_channels: channels,
    layers_per_block: layers,
    norm_num_groups: adapter.motion_norm_num_groups,
    attention_head_dim: 1,
    cross_attention_dim: 8,
    down_block_types: channels.map(() => 'DownBlock2D'),
    up_block_types: channels.map(() => 'UpBlock2D'),
  }
  const { missing, wrong, unused } = unetMotion(joinedConfig(around, adapter), weights)
  return { missing: missing.filter(isMotionKey), wrong, unused }
}

const timesformerRun = ({ num_frames, num_channels, image_size }: TimesformerConfig): Run[] => {
  const [height, width = height] = [image_size].flat() as [number, number?]
  return [{ inputs: { pixel_values: float(1, num_frames, num_channels, height, width) } }]
}

const image = (levels: readonly unknown[], channels: number): Shape => [1, channels, side(levels), side(levels)]

/** By the class that a config names. */
const audits: Readonly<Record<string, Audit>> = {
  UNetMotionModel: unetMotion,
  MotionAdapter: motionAdapter,
  UNet2DConditionModel: audit(unet2dConditionModel, (config) => [
    {
      inputs: {
        sample: float(...image(config.block_out_channels, config.in_channels)),
        timestep,
        ...(/image/.test(`${config.encoder_hid_dim_type} ${config.addition_embed_type}`)
          ? { 'added_cond_kwargs.image_embeds': float(1, config.encoder_hid_dim ?? first(config.cross_attention_dim)) }
          : { encoder_hidden_states: float(1, 1, first(config.cross_attention_dim)) }),
        ...conditions(config),
      },
    },
  ]),
  UNet3DConditionModel: audit(unet3dConditionModel, (config) => [
    {
      inputs: {
        sample: float(1, config.in_channels, 2, side(config.block_out_channels), side(config.block_out_channels)),
        timestep,
        encoder_hidden_states: float(1, 1, config.cross_attention_dim),
        ...conditions(config),
      },
    },
  ]),
  AutoencoderKL: audit(autoencoderKl, (config) => [
    { inputs: { z: float(1, config.latent_channels, 2, 2) }, args: { part: 'decode' } },
    { inputs: { x: float(...image(config.block_out_channels, config.in_channels)) }, args: { part: 'encode' } },
  ]),
  VQModel: audit(vqModel, (config) => [
    { inputs: { sample: float(...image(config.block_out_channels, config.in_channels)) }, args: { part: 'forward' } },
  ]),
  CLIPTextModel: audit(clipTextModel, () => [{ inputs: ids }]),
  CLIPTextModelWithProjection: audit(clipTextModelWithProjection, () => [{ inputs: ids }]),
  CLIPVisionModelWithProjection: audit(clipVisionModelWithProjection, (config) => [
    { inputs: { pixel_values: float(1, config.num_channels, config.image_size, config.image_size) } },
  ]),
  T5EncoderModel: audit(t5EncoderModel, () => [{ inputs: ids }]),
  TransformerTemporalModel: audit(transformerTemporalModel, (config) => {
    const inner = config.num_attention_heads * config.attention_head_dim
    const context = config.double_self_attention ? undefined : (config.cross_attention_dim ?? undefined)
    return [
      {
        inputs: {
          hidden_states: float(2, config.in_channels, 1, 1),
          ...(context !== undefined && context !== inner && { encoder_hidden_states: float(1, 1, context) }),
        },
        args: { num_frames: 2 },
      },
    ]
  }),
  PriorTransformer: audit(priorTransformer, (config) => {
    const dim = config.embedding_dim
    const tokens = config.num_embeddings + config.additional_embeddings - 4
    return [
      {
        inputs: {
          hidden_states: config.added_emb_type === null ? float(1, config.num_embeddings, dim) : float(1, dim),
          timestep,
          proj_embedding: float(1, config.embedding_proj_dim ?? dim),
          ...(config.encoder_hid_proj_type !== null && { encoder_hidden_states: float(1, Math.max(1, tokens), dim) }),
        },
        args: { part: 'forward' },
      },
      { inputs: { hidden_states: float(1, config.clip_embed_dim ?? dim) }, args: { part: 'post_process_latents' } },
    ]
  }),
  PixArtTransformer2DModel: audit(pixartTransformer2d, (config) => {
    const dim = config.num_attention_heads * config.attention_head_dim
    const conditioned = config.use_additional_conditions ?? config.sample_size === 128
    return [
      {
        inputs: {
          hidden_states: float(1, config.in_channels, config.patch_size * 2, config.patch_size * 2),
          timestep,
          encoder_hidden_states: float(1, 1, config.caption_channels ?? config.cross_attention_dim ?? dim),
          ...(conditioned && {
            'added_cond_kwargs.resolution': float(1, 2),
            'added_cond_kwargs.aspect_ratio': float(1, 1),
          }),
        },
      },
    ]
  }),
  TimesformerModel: audit(timesformerModel, timesformerRun),
  TimesformerForVideoClassification: audit(timesformerForVideoClassification, timesformerRun),
}

const classSchema = z.looseObject({
  _class_name: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
})

/** The reference's class that a config names; undefined when it names none. */
export function architectureOf(config: Record<string, unknown>): string | undefined {
  const { data } = classSchema.safeParse(config)
  return data?._class_name ?? data?.architectures?.[0]
}

export const auditOf = (architecture: string): Audit | undefined =>
  Object.hasOwn(audits, architecture) ? audits[architecture] : undefined
