import { z } from 'zod'
import { autoencoderKl } from './autoencoder-kl.ts'
import { autoencoderTiny } from './autoencoder-tiny.ts'
import { clipTextModel, clipTextModelWithProjection } from './clip-text.ts'
import { clipVisionModelWithProjection } from './clip-vision.ts'
import { controlNetModel } from './controlnet.ts'
import type { Model } from './model.ts'
import { pixartTransformer2d } from './pixart-transformer-2d.ts'
import { priorTransformer } from './prior-transformer.ts'
import { sparseControlNetModel } from './sparse-controlnet.ts'
import { t5EncoderModel } from './t5-encoder.ts'
import { timesformerForVideoClassification, timesformerModel } from './timesformer.ts'
import { transformerTemporalModel } from './transformer-temporal.ts'
import { unclipTextProjModel } from './unclip-text-proj.ts'
import { unet2dConditionModel } from './unet-2d-condition.ts'
import { unet2dModel } from './unet-2d.ts'
import { unet3dConditionModel } from './unet-3d-condition.ts'
import { unetMotionModel } from './unet-motion.ts'
import { vqModel } from './vq-model.ts'

/** Every architecture, by the reference's name of its class: what a config.json names. */
export const classes: Readonly<Record<string, Model>> = {
  UNetMotionModel: unetMotionModel,
  UNet2DConditionModel: unet2dConditionModel,
  UNet2DModel: unet2dModel,
  UNet3DConditionModel: unet3dConditionModel,
  ControlNetModel: controlNetModel,
  SparseControlNetModel: sparseControlNetModel,
  PixArtTransformer2DModel: pixartTransformer2d,
  TransformerTemporalModel: transformerTemporalModel,
  PriorTransformer: priorTransformer,
  UnCLIPTextProjModel: unclipTextProjModel,
  AutoencoderKL: autoencoderKl,
  AutoencoderTiny: autoencoderTiny,
  VQModel: vqModel,
  CLIPTextModel: clipTextModel,
  CLIPTextModelWithProjection: clipTextModelWithProjection,
  CLIPVisionModelWithProjection: clipVisionModelWithProjection,
  T5EncoderModel: t5EncoderModel,
  TimesformerModel: timesformerModel,
  TimesformerForVideoClassification: timesformerForVideoClassification,
}

/** The architecture of that name; undefined when there is none. */
export const classOf = (name: string): Model | undefined => ofTable(classes, name)

/** Classes that the reference opens as another one. Source: model_loading_utils.py@58eb52c _CLASS_REMAPPING_DICT. */
const remapped: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  Transformer2DModel: { ada_norm_zero: 'DiTTransformer2DModel', ada_norm_single: 'PixArtTransformer2DModel' },
}

/** What transformers' own model types are here, where a config.json names no class. */
const byModelType: Readonly<Record<string, string>> = {
  timesformer: 'TimesformerForVideoClassification',
  clip_text_model: 'CLIPTextModel',
  clip_vision_model: 'CLIPVisionModelWithProjection',
  t5: 'T5EncoderModel',
}

const classSchema = z.object({
  _class_name: z.string().optional().catch(undefined),
  architectures: z.tuple([z.string()], z.unknown()).optional().catch(undefined),
  model_type: z.string().optional().catch(undefined),
  norm_type: z.unknown().optional(),
})

/** The reference's class that a config.json names, or else its type of model; undefined when it names none. */
export function classNameOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const { _class_name, architectures, model_type, norm_type } = classSchema.parse(config)
  const named = _class_name ?? architectures?.[0]
  if (named !== undefined) return ofTable(ofTable(remapped, named) ?? {}, String(norm_type)) ?? named
  return model_type && (ofTable(byModelType, model_type) ?? model_type)
}

const ofTable = <Value>(table: Readonly<Record<string, Value>>, key: string): Value | undefined =>
  Object.hasOwn(table, key) ? table[key] : undefined
