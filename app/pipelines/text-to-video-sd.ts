import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import {
  decodedFrame,
  denoiseSteps,
  encodePrompts,
  frameLatents,
  fromNoise,
  latentSize,
  noiseOf,
  type DiffusionParts,
  type DiffusionRequest,
  type DiffusionStep,
  type FreeUAt,
  type Prompt,
} from './diffusion.ts'
import { firstStep } from './image-to-image.ts'
import { framesAsSamples } from './scheduler-samples.ts'
import type { BeginningOf } from './text-to-image.ts'
import { encodedVideo } from './video-to-video.ts'

export type TextToVideoSdRequest = DiffusionRequest & {
  readonly prompts: readonly Prompt[]
  readonly numFrames: number
}

/**
 * Text to video as TextToVideoSDPipeline does it: N clips (N, C, F, h, w), one for each prompt, of which the scheduler
 * takes each frame as a sample of its own; frames of the first clip first.
 * Source: diffusers/src/diffusers/pipelines/deprecated/text_to_video_synthesis/pipeline_text_to_video_synth.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export const textToVideoSd = (
  parts: DiffusionParts,
  request: TextToVideoSdRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  clips(parts, request, freeuAt, (shape, draw) => fromNoise(parts, request, shape, draw, framesAsSamples(shape)))

export type VideoToVideoSdRequest = Omit<TextToVideoSdRequest, 'prompts' | 'numFrames'> &
  Prompt & {
    /** Above 0, up to 1: the share of the steps that is run. */
    readonly strength: number
    /** Frame by frame (1, 3, H, W) in -1..1, of the size of the result. */
    readonly video: readonly Tensor<'float32'>[]
  }

/**
 * A clip made anew as VideoToVideoSDPipeline does it: all frames' latents are drawn at once, noised as far as
 * `strength` says, and denoised from there. Source: pipeline_text_to_video_synth_img2img.py@58eb52c, in that folder.
 * Throws as `textToVideoSd` does.
 */
export const videoToVideoSd = (
  parts: DiffusionParts,
  { video, strength, ...request }: VideoToVideoSdRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> =>
  clips(parts, { ...request, prompts: [request], numFrames: video.length }, freeuAt, async (shape, draw) => {
    const { samples, together } = framesAsSamples(shape)
    const scheduler = parts.createScheduler(request.numInferenceSteps, samples)
    const first = firstStep(scheduler, { ...request, strength })
    const clean = await encodedVideo(parts, video, video.length, draw) // (F, C, h, w)
    const noised = scheduler.addNoise(clean.data, draw(clean.shape), first)
    return { scheduler, first, latents: float32(shape, together(noised)) }
  })

/** Clips from whatever `beginningOf` says, which is asked when the prompts are encoded. */
async function* clips(
  parts: DiffusionParts,
  { prompts, numFrames, ...request }: TextToVideoSdRequest,
  freeuAt: FreeUAt,
  beginningOf: BeginningOf,
): AsyncGenerator<DiffusionStep, void> {
  const shape = [prompts.length, parts.latentChannels, numFrames, ...latentSize(parts, request)]
  const guided = request.guidanceScale > 1
  const { context, notes } = await encodePrompts(parts, prompts, { ...request, guided })
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const draw = noiseOf(request)
  const beginning = await beginningOf(shape, draw)
  const latents = yield* denoiseSteps(parts, request, { context, guided, eachFrame: true, beginning, draw }, freeuAt)
  const count = prompts.length * numFrames
  for (let index = 0; index < count; index++) {
    const clip = Math.floor(index / numFrames)
    const frame = frameLatents(rows(latents, clip, clip + 1), index % numFrames, 1 / parts.scalingFactor)
    yield await decodedFrame(parts, frame, index, count)
  }
}
