import type { z } from 'zod'
import type { ModelEntry } from '../models.ts'
import { checkStillConditioning, stillConditioningFields, stillConditioningModels } from './conditioning.ts'
import { fields, type Fields } from './fields.ts'
import { badInput, type ByRole, type FieldProblem } from './pipeline.ts'
import { checkDiffusion, diffusionFields, diffusionModels } from './stable-diffusion.ts'

/** The conditions of Stable Diffusion XL beside the prompt (arXiv 2307.01952, section 2.2), for both halves. */
const sizeFields = {
  originalSize: fields.originalSize,
  cropTopLeft: fields.cropTopLeft,
  targetSize: fields.targetSize,
  negativeOriginalSize: fields.negativeOriginalSize,
  negativeCropTopLeft: fields.negativeCropTopLeft,
  negativeTargetSize: fields.negativeTargetSize,
}
export type SdxlSizes = Pick<Fields, keyof typeof sizeFields>

/** What every pipeline over a Stable Diffusion XL checkpoint lets a user choose. */
export const sdxlFields = {
  ...diffusionFields,
  prompt2: fields.prompt2,
  negativePrompt2: fields.negativePrompt2,
  ...sizeFields,
}
export type SdxlSettings = z.infer<z.ZodObject<typeof sdxlFields>>

export const sdxlModels = {
  ...diffusionModels,
  model: { ...diffusionModels.model, kind: 'stable-diffusion-xl' },
} as const

/** The same of those that make one picture, which can be steered. */
export const sdxlStillFields = { ...sdxlFields, ...stillConditioningFields }
type SdxlStillSettings = z.infer<z.ZodObject<typeof sdxlStillFields>>
export const sdxlStillModels = { ...sdxlModels, ...stillConditioningModels }
export const checkSdxlStill = (settings: SdxlStillSettings, found: ByRole<ModelEntry>): FieldProblem[] => [
  ...checkSdxl(settings, found),
  ...checkStillConditioning(settings, found),
]

export function checkSdxl(settings: SdxlSettings, found: ByRole<ModelEntry>): FieldProblem[] {
  const { negativeOriginalSize: original, negativeTargetSize: target } = settings
  const problems = checkDiffusion(settings, found)
  if ((original === null) === (target === null)) return problems
  const [missing, words] = original
    ? (['negativeTargetSize', 'negative target size'] as const)
    : (['negativeOriginalSize', 'negative original size'] as const)
  return [...problems, badInput(missing, `Give the ${words} too: the model is told both or none.`)]
}
