import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import {
  decodedFrame,
  denoiseSteps,
  encodePrompts,
  latentSize,
  type DiffusionParts,
  type DiffusionRequest,
  type DiffusionStep,
  type FreeUAt,
  type Prompt,
} from './diffusion.ts'
import { repeatRows } from './guidance.ts'

export type TextToImageParts = DiffusionParts & {
  /** Width of the embedding of the guidance scale that the UNet reads; null for one that reads none. */
  readonly timeCondProjDim: number | null
}

export type TextToImageRequest = DiffusionRequest & {
  readonly prompts: readonly Prompt[]
  readonly imagesPerPrompt?: number
}

/**
 * Text to image as StableDiffusionPipeline does it. N images, those of the first prompt first; latents are
 * (N, C, h, w). A UNet that reads the guidance scale needs no second prediction without the prompt.
 * Source: diffusers/src/diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export async function* textToImage(
  parts: TextToImageParts,
  { prompts, imagesPerPrompt = 1, ...request }: TextToImageRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const count = prompts.length * imagesPerPrompt
  const shape = [count, parts.latentChannels, ...latentSize(parts, request)]
  const guided = request.guidanceScale > 1 && parts.timeCondProjDim === null
  const encoded = await encodePrompts(parts, prompts, { ...request, guided })
  for (const note of encoded.notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const how = {
    shape,
    context: repeatRows(encoded.context, imagesPerPrompt),
    guided,
    ...(parts.timeCondProjDim !== null && {
      timestepCond: guidanceEmbedding(request.guidanceScale - 1, parts.timeCondProjDim, count),
    }),
  }
  const latents = yield* denoiseSteps(parts, request, how, freeuAt)
  const scaled = float32(
    shape,
    latents.data.map((value) => value / parts.scalingFactor),
  )
  for (let index = 0; index < count; index++)
    yield await decodedFrame(parts, rows(scaled, index, index + 1), index, count)
}

/**
 * The sinusoidal embedding (count, dim) of a guidance scale (arXiv 2310.04378, section 4.2).
 * Source: pipeline_stable_diffusion.py@58eb52c get_guidance_scale_embedding.
 */
function guidanceEmbedding(scale: number, dim: number, count: number): Tensor<'float32'> {
  const half = dim >> 1
  const angles = Array.from({ length: half }, (_, i) => scale * 1000 * Math.exp((-Math.log(10_000) * i) / (half - 1)))
  const row = [...angles.map(Math.sin), ...angles.map(Math.cos), ...new Array<number>(dim - 2 * half).fill(0)]
  return float32([count, dim], Array.from({ length: count }, () => row).flat())
}
