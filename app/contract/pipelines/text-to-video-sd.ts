import { z } from 'zod'
import type { ModelEntry } from '../models.ts'
import { fieldDefaults, fields } from './fields.ts'
import type { ModelRole, Pipeline } from './pipeline.ts'
import {
  checkDiffusion,
  diffusionFields,
  diffusionModels,
  stableDiffusion,
  suitedDiffusion,
  type DiffusionSettings,
} from './stable-diffusion.ts'

export const unet3dFields = { ...diffusionFields, numFrames: fields.numFrames, fps: fields.fps }
const settings = z.object(unet3dFields)
export type TextToVideoSdSettings = z.infer<typeof settings>

/** The models of pipelines whose UNet has time inside. */
export const unet3dModels = {
  ...diffusionModels,
  model: { ...diffusionModels.model, kind: 'text-to-video-sd' },
} as const satisfies Record<string, ModelRole<DiffusionSettings>>

/**
 * ModelScope's text to video and what was trained from it, such as Zeroscope (arXiv 2308.06571): a UNet with
 * convolutions and transformers over time. Reference: TextToVideoSDPipeline.
 */
export const textToVideoSd = {
  ...stableDiffusion,
  name: 'text-to-video-sd',
  title: 'Text to video (ModelScope)',
  makes: 'clip',
  aims: ['clip'],
  settings,
  models: unet3dModels,
  sections: ['model', 'prompt', 'clip', 'sampling', 'scheduler', 'freeu', 'compute', 'advanced'],
  suited: suitedUnet3d,
  check: checkDiffusion,
} as const satisfies Pipeline<TextToVideoSdSettings>

/** As `suitedDiffusion`, with the frames of the model. */
export function suitedUnet3d<S extends TextToVideoSdSettings>(
  settings: S,
  model: ModelEntry,
  models: readonly ModelEntry[],
): S {
  const numFrames = model.suggested?.numFrames ?? fieldDefaults.numFrames
  return { ...suitedDiffusion(settings, model, models), numFrames }
}
