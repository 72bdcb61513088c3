import type { SdxlSizes } from '#app/contract/pipelines/stable-diffusion-xl.ts'
import { float32, type Shape } from '#app/tensor/tensor.ts'
import { steered, type Conditioning } from './conditioning.ts'
import {
  denoiseSteps,
  fromNoise,
  latentSize,
  noiseOf,
  type DiffusionRequest,
  type DiffusionStep,
  type FreeUAt,
} from './diffusion.ts'
import { repeatRows } from './guidance.ts'
import { fromImage, type ImageStart } from './image-to-image.ts'
import { contextAt, mapContext } from './prompts.ts'
import { encodeSdxlPrompts, type SdxlPrompt, type SdxlText } from './sdxl-prompt.ts'
import { decodedStills, guidanceEmbedding, type BeginningOf, type TextToImageParts } from './text-to-image.ts'

export type SdxlParts = TextToImageParts & { readonly text: SdxlText }

export type SdxlRequest = DiffusionRequest &
  SdxlSizes & {
    readonly prompts: readonly SdxlPrompt[]
    /** What steers it beside the prompt. */
    readonly conditioning?: Conditioning
    readonly imagesPerPrompt?: number
    /** The share of the schedule after which it ends, for another model to go on; null for all of it. */
    readonly denoisingEnd: number | null
  }

/**
 * Text to image as StableDiffusionXLPipeline does it: the prompt read by two text encoders, and sizes and crops as
 * further conditions. N images, those of the first prompt first; latents are (N, C, h, w).
 * Source: diffusers/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export const textToImageXl = (
  parts: SdxlParts,
  request: SdxlRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  stillsXl(parts, request, freeuAt, (shape, draw) => fromNoise(parts, request, shape, draw), rowsInTurn)

/**
 * The same from a picture, as StableDiffusionXLImg2ImgPipeline does it. Source:
 * diffusers/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl_img2img.py@58eb52c.
 */
export const imageToImageXl = (
  parts: SdxlParts,
  request: SdxlRequest & ImageStart,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  stillsXl(parts, request, freeuAt, (shape, draw) => fromImage(parts, request, shape, draw), rowsApart)

/** Rows of conditions for `count` pictures: the negative ones, then the others; or one kind alone. */
type RowsOf = (kinds: readonly (readonly number[])[], count: number) => number[]

const rowsApart: RowsOf = (kinds, count) => kinds.flatMap((row) => times(count, row))

/**
 * So it is in text to image: each copy has both kinds, while the pictures come half by half. With several pictures and
 * other negative sizes a picture so has the conditions of the other half; with one there is no difference.
 */
const rowsInTurn: RowsOf = (kinds, count) => times(count, kinds.flat())

const times = (count: number, row: readonly number[]): number[] => Array.from({ length: count }, () => row).flat()

async function* stillsXl(
  parts: SdxlParts,
  request: SdxlRequest,
  freeuAt: FreeUAt,
  beginningOf: BeginningOf,
  rowsOf: RowsOf,
): AsyncGenerator<DiffusionStep, void> {
  const { prompts, imagesPerPrompt = 1, guidanceScale } = request
  const count = prompts.length * imagesPerPrompt
  const shape: Shape = [count, parts.latentChannels, ...latentSize(parts, request)]
  const guided = guidanceScale > 1 && parts.timeCondProjDim === null
  const { context, pooled, notes } = await encodeSdxlPrompts(parts.text, prompts, { ...request, guided })
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const draw = noiseOf(request)
  const denoise = await steered(parts, request.conditioning, { numFrames: 1, guided, draw, samples: count })
  const beginning = await beginningOf(shape, draw)
  const { negative, positive } = sizesAsNumbers(request)
  const rows = rowsOf(guided ? [negative, positive] : [positive], count)
  const timeIds = float32([rows.length / positive.length, positive.length], rows)
  const how = {
    context: mapContext(context, (states) => repeatRows(states, imagesPerPrompt)),
    added: (step: number) => ({ textEmbeds: repeatRows(contextAt(pooled, step), imagesPerPrompt), timeIds }),
    guided,
    ...(parts.timeCondProjDim !== null && {
      timestepCond: guidanceEmbedding(guidanceScale - 1, parts.timeCondProjDim, count),
    }),
    beginning,
    draw,
    end: endOf(beginning.scheduler.timesteps, request.denoisingEnd, parts.numTrainTimesteps),
  }
  yield* decodedStills(parts, yield* denoiseSteps({ ...parts, denoise }, request, how, freeuAt))
}

/** Sizes and crops as the model is told them: original height and width, top and left, target height and width. */
export function sizesAsNumbers(request: SdxlSizes & { readonly width: number; readonly height: number }): {
  readonly negative: number[]
  readonly positive: number[]
} {
  const { originalSize, targetSize, negativeOriginalSize, negativeTargetSize } = request
  const six = (
    original: SdxlSizes['originalSize'],
    crop: SdxlSizes['cropTopLeft'],
    target: SdxlSizes['targetSize'],
  ): number[] => {
    const [from, to] = [original ?? request, target ?? request]
    return [from.height, from.width, crop.top, crop.left, to.height, to.width]
  }
  const positive = six(originalSize, request.cropTopLeft, targetSize)
  const negative =
    negativeOriginalSize && negativeTargetSize
      ? six(negativeOriginalSize, request.negativeCropTopLeft, negativeTargetSize)
      : positive
  return { negative, positive }
}

/** The evaluation before which a run of that share ends. */
export function endOf(timesteps: readonly number[], share: number | null, trainSteps: number): number {
  if (share === null || share <= 0 || share >= 1) return timesteps.length
  const least = Math.round(trainSteps - share * trainSteps)
  return timesteps.filter((timestep) => timestep >= least).length
}
