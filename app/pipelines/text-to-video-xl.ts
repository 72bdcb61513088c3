import type { SdxlSizes } from '#app/contract/pipelines/stable-diffusion-xl.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { latentSize, type DiffusionParts, type DiffusionStep, type FreeUAt } from './diffusion.ts'
import { contextAt } from './prompts.ts'
import { encodeSdxlPrompts, type SdxlPrompt, type SdxlText } from './sdxl-prompt.ts'
import { guidanceEmbedding } from './text-to-image.ts'
import { endOf, sizesAsNumbers } from './text-to-image-xl.ts'
import { fromClipNoise, madeClip, type TextToVideoRequest } from './text-to-video.ts'

export type TextToVideoXlParts = DiffusionParts & {
  readonly text: SdxlText
  /** Width of the embedding of the guidance scale that the UNet reads; null for one that reads none. */
  readonly timeCondProjDim: number | null
}

export type TextToVideoXlRequest = Omit<TextToVideoRequest, 'prompt' | 'negativePrompt' | 'laterPrompts'> &
  SdxlSizes & {
    readonly text: SdxlPrompt
    /** The share of the schedule after which it ends; null for all of it. FreeInit's rounds go all the way. */
    readonly denoisingEnd: number | null
  }

/**
 * Text to video as AnimateDiffSDXLPipeline does it: the prompt read by two text encoders, and sizes and crops as
 * further conditions. Latents are (1, C, F, h, w). A UNet that reads the guidance scale
 * needs no second prediction without the prompt.
 * Source: diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff_sdxl.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export async function* textToVideoXl(
  parts: TextToVideoXlParts,
  request: TextToVideoXlRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const { numFrames, numInferenceSteps: steps, guidanceScale, denoisingEnd, freeInit } = request
  const shape = [1, parts.latentChannels, numFrames, ...latentSize(parts, request)] as const
  const { timeCondProjDim: width } = parts
  const guided = guidanceScale > 1 && width === null
  const { context, pooled, notes } = await encodeSdxlPrompts(parts.text, [request.text], { ...request, guided })
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const { beginning, draw } = fromClipNoise(parts, request, shape)
  const { negative, positive } = sizesAsNumbers(request)
  const ids = guided ? [...negative, ...positive] : positive
  const timeIds = float32([ids.length / positive.length, positive.length], ids)
  const more = {
    guided,
    added: (step: number) => ({ textEmbeds: contextAt(pooled, step), timeIds }),
    ...(width !== null && { timestepCond: guidanceEmbedding(guidanceScale - 1, width, 1) }),
    ...(!freeInit && { end: endOf(beginning.scheduler.timesteps, denoisingEnd, parts.numTrainTimesteps) }),
  }
  yield* madeClip(parts, request, { context, beginning, draw, steps, more }, freeuAt)
}
