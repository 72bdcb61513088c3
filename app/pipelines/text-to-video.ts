import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
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
} from './diffusion.ts'

export type TextToVideoRequest = DiffusionRequest & Pick<TextToVideoSettings, 'prompt' | 'negativePrompt' | 'numFrames'>

/**
 * Text to video as AnimateDiffPipeline does it: the prompt to context, noise denoised step by step, frames decoded one
 * by one. Latents are (1, C, F, h, w). Source:
 * diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export async function* textToVideo(
  parts: DiffusionParts,
  request: TextToVideoRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const shape = [1, parts.latentChannels, request.numFrames, ...latentSize(parts, request)]
  const guided = request.guidanceScale > 1
  const { context, notes } = await encodePrompts(parts, [request], { ...request, guided })
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const draw = noiseOf(request)
  const beginning = fromNoise(parts, request, shape, draw)
  const latents = yield* denoiseSteps(parts, request, { context, guided, beginning, draw }, freeuAt)
  for (let index = 0; index < request.numFrames; index++)
    yield await decodedFrame(parts, frameLatents(latents, index, 1 / parts.scalingFactor), index, request.numFrames)
}
