import { float32, sizeOf, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import {
  during,
  type Beginning,
  type DiffusionParts,
  type DiffusionStep,
  type DrawNoise,
  type FreeUAt,
} from './diffusion.ts'
import { drawnLatents } from './moments.ts'
import { stills, type TextToImageParts, type TextToImageRequest } from './text-to-image.ts'

/** What a run that begins with a picture has beside all else. */
export type ImageStart = {
  /** (1, 3, H, W) in -1..1, of the size of the result. */
  readonly image: Tensor<'float32'>
  /** Above 0, up to 1: the share of the steps that is run. */
  readonly strength: number
}

/**
 * Image to image as StableDiffusionImg2ImgPipeline does it: the picture's latents are brought to the noise of a later
 * step, and the steps from there on are run. Source:
 * diffusers/src/diffusers/pipelines/stable_diffusion/pipeline_stable_diffusion_img2img.py@58eb52c.
 * Throws as `textToImage` does.
 */
export const imageToImage = (
  parts: TextToImageParts,
  request: TextToImageRequest & ImageStart,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  stills(parts, request, freeuAt, (shape, draw) => fromImage(parts, request, shape, draw))

/**
 * Latents of the shape, each of one picture's, with the noise of the step at which `strength` begins. Drawn are the
 * picture's latents, which its rows share, and then the noise of all.
 */
export async function fromImage(
  parts: Pick<DiffusionParts, 'createScheduler' | 'encode' | 'scalingFactor'>,
  request: Pick<TextToImageRequest, 'numInferenceSteps'> & ImageStart,
  shape: Shape,
  draw: DrawNoise,
): Promise<Beginning> {
  const scheduler = parts.createScheduler(request.numInferenceSteps, shape[0])
  const first = firstStep(scheduler, request)
  const moments = await during('The picture', parts.encode(request.image))
  const { data: one } = drawnLatents([moments], parts.scalingFactor, draw)
  const clean = new Float32Array(sizeOf(shape))
  for (let at = 0; at < clean.length; at += one.length) clean.set(one, at)
  return { scheduler, first, latents: float32(shape, scheduler.addNoise(clean, draw(shape), first)) }
}

/** Source: get_timesteps of the same file. The product is rounded down as a double. */
export const firstStep = (
  { order }: Pick<Scheduler, 'order'>,
  { numInferenceSteps, strength }: { numInferenceSteps: number; strength: number },
): number => (numInferenceSteps - Math.min(Math.floor(numInferenceSteps * strength), numInferenceSteps)) * order
