import type { TextToVideoSettings } from '#app/contract/pipelines/text-to-video.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { steered, type Conditioning, type ConditioningParts } from './conditioning.ts'
import { inContextWindows } from './context-windows.ts'
import {
  decodedFrame,
  denoiseSteps,
  encodePrompts,
  frameLatents,
  fromNoise,
  latentSize,
  noiseOf,
  type Beginning,
  type DiffusionParts,
  type DiffusionRequest,
  type DiffusionStep,
  type DrawNoise,
  type FreeUAt,
} from './diffusion.ts'
import { freeInitRounds } from './free-init.ts'
import { freeNoiseLatents, type Shuffle } from './free-noise.ts'
import { encodeTravel, type FramePrompt } from './prompt-travel.ts'
import type { Context } from './prompts.ts'

export type ClipRequest = DiffusionRequest &
  Pick<TextToVideoSettings, 'prompt' | 'negativePrompt'> &
  Partial<Pick<TextToVideoSettings, 'laterPrompts' | 'freeInit' | 'longClip'>> & {
    /** What steers it beside the prompt. */
    readonly conditioning?: Conditioning
    /** As `laterPrompts`, of what is not to be seen. */
    readonly laterNegativePrompts?: readonly FramePrompt[]
  }

/** The models of a clip, with those that steer it. */
export type ClipParts = DiffusionParts & ConditioningParts

export type TextToVideoRequest = ClipRequest &
  Pick<TextToVideoSettings, 'numFrames'> & {
    /** In the place of the orders that the seed draws. */
    readonly shuffle?: Shuffle
  }

/**
 * Text to video as AnimateDiffPipeline does it: the prompt to context, noise denoised step by step, frames decoded one
 * by one. Latents are (1, C, F, h, w). Source:
 * diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the frame.
 */
export async function* textToVideo(
  parts: ClipParts,
  request: TextToVideoRequest,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const { numFrames, numInferenceSteps: steps } = request
  const shape = [1, parts.latentChannels, numFrames, ...latentSize(parts, request)] as const
  const { context, notes } = await clipContext(parts, request, numFrames)
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const generator = createGenerator(request.seed)
  const how = { numFrames, guided: request.guidanceScale > 1, draw: noiseOf(request, generator) }
  const denoise = await steered(parts, request.conditioning, how)
  const beginning = fromClipNoise(parts, request, shape, generator)
  yield* madeClip({ ...parts, denoise }, request, { context, steps, ...beginning }, freeuAt)
}

/** Where a clip begins that begins with noise alone, and what draws the rest of it. */
export function fromClipNoise(
  parts: DiffusionParts,
  request: Omit<TextToVideoRequest, 'prompt' | 'negativePrompt'>,
  shape: readonly [number, number, number, number, number],
  generator = createGenerator(request.seed),
): { beginning: Beginning; draw: DrawNoise } {
  const { longClip, latents: given } = request
  const draw = noiseOf(request, generator)
  const { shuffle = (length: number) => generator.permutation(length) } = request
  const latents = longClip?.kind === 'freenoise' ? freeNoiseLatents(longClip, shape, { given, draw, shuffle }) : given
  return { draw, beginning: fromNoise(parts, { ...request, ...(latents && { latents }) }, shape, draw) }
}

/** What the prompts of a clip say: (rows, L, D), one row for the clip, or one for each frame where they change. */
export async function clipContext(
  parts: DiffusionParts,
  request: ClipRequest,
  numFrames: number,
): Promise<{ context: Context; notes: string[] }> {
  const { prompt, negativePrompt, laterPrompts = [], laterNegativePrompts = [], clipSkip, guidanceScale } = request
  const { promptSyntax = 'plain', numInferenceSteps } = request
  const how = { clipSkip, guided: guidanceScale > 1, promptSyntax, numInferenceSteps }
  if (laterPrompts.length === 0 && laterNegativePrompts.length === 0) return encodePrompts(parts, [request], how)
  const prompts = travel(prompt, laterPrompts)
  return encodeTravel(parts, { prompts, negativePrompts: travel(negativePrompt, laterNegativePrompts) }, numFrames, how)
}

const travel = (first: string, later: readonly FramePrompt[]): FramePrompt[] =>
  [{ frame: 0, prompt: first }, ...later].sort((a, b) => a.frame - b.frame)

type Made = {
  readonly context: Context
  readonly beginning: Beginning
  /** Those that are laid out; with a strength below 1 the first are left out. */
  readonly steps: number
  readonly strength?: number
  readonly draw: DrawNoise
  /** What the model is told beside the prompt, and where a run ends that goes not all the way. */
  readonly more?: Partial<Pick<Parameters<typeof denoiseSteps>[2], 'added' | 'timestepCond' | 'end' | 'guided'>>
}

/** Denoises the latents of a clip, in rounds and in windows where the request wants them, and decodes its frames. */
export async function* madeClip(
  parts: DiffusionParts,
  request: Omit<ClipRequest, 'prompt' | 'negativePrompt'>,
  { context, beginning, draw, more, ...rounds }: Made,
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const { freeInit, longClip } = request
  const denoise = longClip && longClip.kind !== 'freenoise' ? inContextWindows(parts.denoise, longClip) : parts.denoise
  const how = { context, guided: request.guidanceScale > 1, draw, ...more }
  const round = (beginning: Beginning, firstStep = 0) =>
    denoiseSteps({ ...parts, denoise }, request, { ...how, beginning }, (step) => freeuAt(firstStep + step))
  const latents = yield* freeInit
    ? freeInitRounds(parts, freeInit, { ...rounds, latents: beginning.latents, draw }, round)
    : round(beginning)
  const count = latents.shape[2]!
  for (let index = 0; index < count; index++)
    yield await decodedFrame(parts, frameLatents(latents, index, 1 / parts.scalingFactor), index, count)
}
