import { steered, type Conditioning, type ConditioningParts } from './conditioning.ts'
import { float32, rows, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import {
  decodedFrame,
  denoiseSteps,
  encodePrompts,
  fromNoise,
  latentSize,
  noiseOf,
  type Beginning,
  type DiffusionParts,
  type DiffusionRequest,
  type DiffusionStep,
  type DrawNoise,
  type FreeUAt,
  type Prompt,
} from './diffusion.ts'
import { repeatRows } from './guidance.ts'
import { mapContext } from './prompts.ts'

export type TextToImageParts = DiffusionParts &
  ConditioningParts & {
    /** Width of the embedding of the guidance scale that the UNet reads; null for one that reads none. */
    readonly timeCondProjDim: number | null
  }

export type TextToImageRequest = DiffusionRequest & {
  /** What steers it beside the prompt. */
  readonly conditioning?: Conditioning
  readonly prompts: readonly Prompt[]
  readonly imagesPerPrompt?: number
}

/** Where the latents of such a shape begin; what it draws comes first. */
export type BeginningOf = (shape: Shape, draw: DrawNoise) => Beginning | Promise<Beginning>

/**
 * Text to image as StableDiffusionPipeline does it. N images, those of the first prompt first; latents are
 * (N, C, h, w). A UNet that reads the guidance scale needs no second prediction without the prompt.
 * Source: diffusers/src/diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export const textToImage = (
  parts: TextToImageParts,
  request: TextToImageRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  stills(parts, request, freeuAt, (shape, draw) => fromNoise(parts, request, shape, draw))

/** The same from whatever `beginningOf` says, which is asked when the prompts are encoded. */
export async function* stills(
  parts: TextToImageParts,
  { prompts, imagesPerPrompt = 1, ...request }: TextToImageRequest,
  freeuAt: FreeUAt,
  beginningOf: BeginningOf,
): AsyncGenerator<DiffusionStep, void> {
  const count = prompts.length * imagesPerPrompt
  const shape = [count, parts.latentChannels, ...latentSize(parts, request)]
  const guided = request.guidanceScale > 1 && parts.timeCondProjDim === null
  const encoded = await encodePrompts(parts, prompts, { ...request, guided })
  for (const note of encoded.notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const draw = noiseOf(request)
  const denoise = await steered(parts, request.conditioning, { numFrames: 1, guided, draw, samples: count })
  const how = {
    draw,
    beginning: await beginningOf(shape, draw),
    context: mapContext(encoded.context, (states) => repeatRows(states, imagesPerPrompt)),
    guided,
    ...(parts.timeCondProjDim !== null && {
      timestepCond: guidanceEmbedding(request.guidanceScale - 1, parts.timeCondProjDim, count),
    }),
  }
  const latents = yield* denoiseSteps({ ...parts, denoise }, request, how, freeuAt)
  yield* decodedStills(parts, latents)
}

/** The pictures of latents (N, C, h, w), one after the other. */
export async function* decodedStills(
  parts: DiffusionParts,
  { shape, data }: Tensor<'float32'>,
): AsyncGenerator<DiffusionStep, void> {
  const count = shape[0]!
  const scaled = float32(
    shape,
    data.map((value) => value / parts.scalingFactor),
  )
  for (let index = 0; index < count; index++)
    yield await decodedFrame(parts, rows(scaled, index, index + 1), index, count)
}

/**
 * The sinusoidal embedding (count, dim) of a guidance scale (arXiv 2310.04378, section 4.2).
 * Source: pipeline_stable_diffusion.py@58eb52c get_guidance_scale_embedding.
 */
export function guidanceEmbedding(scale: number, dim: number, count: number): Tensor<'float32'> {
  const half = dim >> 1
  // In float32 as there: angles go into the thousands, so that their rounding is seen in the sines.
  const { fround } = Math
  const decay = fround(-Math.log(10_000) / (half - 1))
  const angles = Array.from({ length: half }, (_, i) =>
    fround(fround(fround(scale) * 1000) * fround(Math.exp(fround(i * decay)))),
  )
  const row = [...angles.map(Math.sin), ...angles.map(Math.cos), ...new Array<number>(dim - 2 * half).fill(0)]
  return float32([count, dim], Array.from({ length: count }, () => row).flat())
}
