import { rows } from '#app/tensor/tensor.ts'
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
import { framesAsSamples } from './scheduler-samples.ts'

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
export async function* textToVideoSd(
  parts: DiffusionParts,
  { prompts, numFrames, ...request }: TextToVideoSdRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const shape = [prompts.length, parts.latentChannels, numFrames, ...latentSize(parts, request)]
  const guided = request.guidanceScale > 1
  const { context, notes } = await encodePrompts(parts, prompts, { ...request, guided })
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const draw = noiseOf(request)
  const beginning = fromNoise(parts, request, shape, draw, framesAsSamples(shape))
  const latents = yield* denoiseSteps(parts, request, { context, guided, eachFrame: true, beginning, draw }, freeuAt)
  const count = prompts.length * numFrames
  for (let index = 0; index < count; index++) {
    const clip = Math.floor(index / numFrames)
    const frame = frameLatents(rows(latents, clip, clip + 1), index % numFrames, 1 / parts.scalingFactor)
    yield await decodedFrame(parts, frame, index, count)
  }
}
