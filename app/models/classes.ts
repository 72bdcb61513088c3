import { z } from 'zod'
import { autoencoderKl } from './autoencoder-kl.ts'
import { clipTextModel, clipTextModelWithProjection } from './clip-text.ts'
import { clipVisionModelWithProjection } from './clip-vision.ts'
import type { Model } from './model.ts'
import { pixartTransformer2d } from './pixart-transformer-2d.ts'
import { priorTransformer } from './prior-transformer.ts'
import { t5EncoderModel } from './t5-encoder.ts'
import { timesformerForVideoClassification, timesformerModel } from './timesformer.ts'
import { transformerTemporalModel } from './transformer-temporal.ts'
import { unet2dConditionModel } from './unet-2d-condition.ts'
import { unet3dConditionModel } from './unet-3d-condition.ts'
import { unetMotionModel } from './unet-motion.ts'
import { vqModel } from './vq-model.ts'

/** Every architecture, by the reference's name of its class: what a config.json names. */
export const classes: Readonly<Record<string, Model>> = {
  UNetMotionModel: unetMotionModel,
  UNet2DConditionModel: unet2dConditionModel,
  UNet3DConditionModel: unet3dConditionModel,
  PixArtTransformer2DModel: pixartTransformer2d,
  TransformerTemporalModel: transformerTemporalModel,
  PriorTransformer: priorTransformer,
  AutoencoderKL: autoencoderKl,
  VQModel: vqModel,
  CLIPTextModel: clipTextModel,
  CLIPTextModelWithProjection: clipTextModelWithProjection,
  CLIPVisionModelWithProjection: clipVisionModelWithProjection,
  T5EncoderModel: t5EncoderModel,
  TimesformerModel: timesformerModel,
  TimesformerForVideoClassification: timesformerForVideoClassification,
}

/** The architecture of that name; undefined when there is none. */
export const classOf = (name: string): Model | undefined => (Object.hasOwn(classes, name) ? classes[name] : undefined)

const classSchema = z.looseObject({
  _class_name: z.string().optional(),
  architectures: z.array(z.string()).nullish(),
})

/** The reference's class that a config.json names; undefined when it names none. */
export function classNameOf(config: Readonly<Record<string, unknown>>): string | undefined {
  const { data } = classSchema.safeParse(config)
  return data?._class_name ?? data?.architectures?.[0]
}
