import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { steered } from './conditioning.ts'
import {
  latentSize,
  noiseOf,
  type Beginning,
  type DiffusionParts,
  type DiffusionStep,
  type DrawNoise,
  type FreeUAt,
} from './diffusion.ts'
import { joinRows } from './guidance.ts'
import { drawnLatents, type Moments } from './moments.ts'
import { clipContext, madeClip, type ClipParts, type ClipRequest } from './text-to-video.ts'

type Floats = Tensor<'float32'>

export type VideoToVideoRequest = ClipRequest & {
  /** Above 0, up to 1: the share of the steps that is run. */
  readonly strength: number
  /** Frame by frame (1, 3, H, W) in -1..1; not needed where latents are given. */
  readonly video: readonly Floats[]
  /** All steps are run; `strength` says how many more are laid out before them. */
  readonly enforceInferenceSteps?: boolean
  /** How many frames' latents are drawn at once. */
  readonly chunkSize?: number
}

/**
 * A clip made anew after a prompt, as AnimateDiffVideoToVideoPipeline does it: its latents are noised as far as
 * `strength` says, and denoised from there. Latents are (1, C, F, h, w).
 * Source: diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff_video2video.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export async function* videoToVideo(
  parts: ClipParts,
  request: VideoToVideoRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  latentSize(parts, request)
  const draw = noiseOf(request)
  const { scheduler, first, steps } = schedule(parts, request)
  const latents = await noisedLatents(parts, request, { scheduler, first }, draw)
  const { context, notes } = await clipContext(parts, request, latents.shape[2]!)
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }
  const how = { numFrames: latents.shape[2]!, guided: request.guidanceScale > 1, draw }
  const denoise = await steered(parts, request.conditioning, how)
  yield* madeClip(
    { ...parts, denoise },
    request,
    { context, draw, steps, strength: request.strength, beginning: { scheduler, first, latents } },
    freeuAt,
  )
}

/** The steps that are laid out, which of them is the first, and how many are run. */
function schedule(
  parts: DiffusionParts,
  { numInferenceSteps, strength, enforceInferenceSteps: enforced = false }: VideoToVideoRequest,
): Omit<Beginning, 'latents'> & { steps: number } {
  if (enforced) {
    const scheduler = parts.createScheduler(Math.floor(numInferenceSteps / strength))
    return { scheduler, first: scheduler.timesteps.length - numInferenceSteps, steps: numInferenceSteps }
  }
  const scheduler = parts.createScheduler(numInferenceSteps)
  const steps = Math.min(Math.floor(numInferenceSteps * strength), numInferenceSteps)
  return { scheduler, first: (numInferenceSteps - steps) * scheduler.order, steps }
}

/** What denoising begins with: the clip's latents, or those that are given, with noise. */
async function noisedLatents(
  parts: DiffusionParts,
  { latents, video, chunkSize = 16, enforceInferenceSteps = false }: VideoToVideoRequest,
  { scheduler, first }: Omit<Beginning, 'latents'>,
  draw: DrawNoise,
): Promise<Floats> {
  if (latents) {
    if (!enforceInferenceSteps) return latents
    return float32(latents.shape, scheduler.addNoise(latents.data, draw(latents.shape), first))
  }
  const clean = await encodedVideo(parts, video, chunkSize, draw) // (F, C, h, w)
  const noise = draw([1, ...clean.shape])
  return framesLast(float32(clean.shape, scheduler.addNoise(clean.data, noise, first)))
}

/** Scaled latents (F, C, h, w), each drawn from what the autoencoder says of its frame. */
export async function encodedVideo(
  { encode, scalingFactor }: DiffusionParts,
  video: readonly Floats[],
  chunkSize: number,
  draw: DrawNoise,
): Promise<Floats> {
  const latents: Floats[] = []
  for (let start = 0; start < video.length; start += chunkSize) {
    const moments: Moments[] = []
    for (const frame of video.slice(start, start + chunkSize)) moments.push(await encode(frame))
    latents.push(drawnLatents(moments, scalingFactor, draw))
  }
  return joinRows(latents)
}

/** (F, C, h, w) as (1, C, F, h, w). */
function framesLast(latents: Floats): Floats {
  const [frames, channels, height, width] = latents.shape as [number, number, number, number]
  const plane = height * width
  const out = new Float32Array(latents.data.length)
  for (let f = 0; f < frames; f++) {
    const { data } = rows(latents, f, f + 1)
    for (let c = 0; c < channels; c++) out.set(data.subarray(c * plane, (c + 1) * plane), (c * frames + f) * plane)
  }
  return float32([1, channels, frames, height, width], out)
}
