import { defaultCompute, providerTitles, type Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { FreeU, GenerateSettings } from '#app/contract/settings.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { float32, int64, rows, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'

type Floats = Tensor<'float32'>

/** The models of a text-to-video run, each as a function of tensors, so that a pipeline knows no engine. */
export type TextToVideoParts = {
  readonly tokenizer: Tokenizer
  /** Token ids (1, L) -> hidden states (1, L, D), without the encoder's last `clipSkip` layers. */
  readonly encodeText: (ids: Tensor<'int64'>, clipSkip: number) => Promise<Floats>
  /** One prediction of the motion UNet: sample (B, C, F, h, w), timestep (1), context (B, L, D) -> (B, C, F, h, w). */
  readonly denoise: (
    sample: Floats,
    timestep: Floats,
    encoderHiddenStates: Floats,
    freeu: FreeU | null,
  ) => Promise<Floats>
  /** Latents of one frame (1, C, h, w), already divided by the scaling factor -> image (1, 3, H, W) in -1..1. */
  readonly decode: (latents: Floats) => Promise<Floats>
  readonly createScheduler: (numInferenceSteps: number) => Scheduler
  readonly latentChannels: number
  /** Pixels of an image for each latent, along one side. */
  readonly vaeScaleFactor: number
  readonly scalingFactor: number
}

export type TextToVideoRequest = Pick<
  GenerateSettings,
  | 'prompt'
  | 'negativePrompt'
  | 'width'
  | 'height'
  | 'numFrames'
  | 'numInferenceSteps'
  | 'guidanceScale'
  | 'seed'
  | 'clipSkip'
> & {
  /** What the parts compute on, to be named where they fail. */
  readonly compute?: Compute
  /** Starting noise (1, C, F, h, w) in place of the seed's. */
  readonly latents?: Floats
}

export type TextToVideoStep =
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'encoded' }
  /** After a step: the latents, and the clean latents as the model sees them now, both (1, C, F, h, w). */
  | {
      readonly type: 'step'
      readonly step: number
      readonly totalSteps: number
      readonly latents: Floats
      readonly predOriginal: Floats
      readonly freeu: FreeU | null
    }
  /** A finished frame (1, 3, H, W) in -1..1. */
  | { readonly type: 'frame'; readonly index: number; readonly image: Floats }

/**
 * Text to video as AnimateDiffPipeline does it: prompts to context, noise denoised step by step under classifier-free guidance,
 * frames decoded one by one. `freeuAt(step)` is asked at the start of each step, so changes take effect at the next one.
 * Source: diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff.py@58eb52c; arXiv 2207.12598 (guidance).
 * Throws bad-input naming the field, and not-finite naming the step.
 */
export async function* textToVideo(
  parts: TextToVideoParts,
  request: TextToVideoRequest,
  freeuAt: (step: number) => FreeU | null,
): AsyncGenerator<TextToVideoStep, void> {
  const shape = latentShape(parts, request)
  const guided = request.guidanceScale > 1

  const { context, notes } = await encodePrompts(parts, request, guided)
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const scheduler = parts.createScheduler(request.numInferenceSteps)
  const generator = createGenerator(request.seed)
  const noise = (): Float32Array => generator.normal(shape).data
  let latents = float32(shape, scaled(request.latents?.data ?? noise(), scheduler.initNoiseSigma))
  for (const [step, timestep] of scheduler.timesteps.entries()) {
    const freeu = freeuAt(step)
    const input = float32(shape, scheduler.scaleModelInput(latents.data, step))
    const predicted = await parts.denoise(
      guided ? joinRows([input, input]) : input,
      float32([1], [timestep]),
      context,
      freeu,
    )
    const noisePrediction = guided ? guide(predicted, request.guidanceScale) : predicted.data
    const { prevSample, predOriginalSample } = scheduler.step(noisePrediction, step, latents.data, noise)
    latents = float32(shape, prevSample)
    checkFinite(latents, step, request.compute)
    yield {
      type: 'step',
      step,
      totalSteps: scheduler.timesteps.length,
      latents,
      predOriginal: float32(shape, predOriginalSample),
      freeu,
    }
  }

  for (let index = 0; index < request.numFrames; index++)
    yield { type: 'frame', index, image: await parts.decode(frameLatents(latents, index, 1 / parts.scalingFactor)) }
}

function latentShape(parts: TextToVideoParts, { width, height, numFrames }: TextToVideoRequest): Shape {
  for (const [field, size] of Object.entries({ width, height }))
    if (size % parts.vaeScaleFactor !== 0)
      throw new ProblemError(
        'bad-input',
        `${field} ${size} is not a multiple of ${parts.vaeScaleFactor}, which this model's autoencoder needs`,
        { field },
      )
  return [1, parts.latentChannels, numFrames, height / parts.vaeScaleFactor, width / parts.vaeScaleFactor]
}

const scaled = (values: Float32Array, factor: number): Float32Array =>
  factor === 1 ? values : values.map((value) => value * factor)

/** Context of the negative and the positive prompt, in this order: (2, L, D); of the positive one alone without guidance. */
async function encodePrompts(
  { tokenizer, encodeText }: TextToVideoParts,
  { prompt, negativePrompt, clipSkip }: TextToVideoRequest,
  guided: boolean,
): Promise<{ context: Floats; notes: string[] }> {
  // The reference skips layers for the prompt alone, never for the negative prompt.
  const texts = [
    ...(guided ? [{ name: 'negative prompt', text: negativePrompt, skip: 0 }] : []),
    { name: 'prompt', text: prompt, skip: clipSkip ?? 0 },
  ]
  const notes: string[] = []
  const states: Floats[] = []
  for (const { name, text, skip } of texts) {
    const { ids, truncated } = tokenizer.encodePrompt(text)
    if (truncated !== null)
      notes.push(
        `The ${name} is longer than ${tokenizer.maxLength} tokens; this part was left out: ${beginning(truncated)}`,
      )
    states.push(await encodeText(int64([1, ids.length], ids), skip))
  }
  return { context: joinRows(states), notes }
}

const beginning = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text)

/** Tensors of one row each, one after the other. */
function joinRows(tensors: readonly Floats[]): Floats {
  const [first] = tensors as [Floats]
  const data = new Float32Array(first.data.length * tensors.length)
  tensors.forEach((tensor, i) => {
    data.set(tensor.data, i * first.data.length)
  })
  return float32([tensors.length, ...first.shape.slice(1)], data)
}

/** unconditioned + scale * (conditioned - unconditioned). */
function guide(predicted: Floats, scale: number): Float32Array {
  const [without, withPrompt] = [rows(predicted, 0, 1).data, rows(predicted, 1, 2).data]
  return without.map((value, i) => value + scale * (withPrompt[i]! - value))
}

function checkFinite({ data }: Floats, step: number, { provider, precision } = defaultCompute): void {
  if (data.every(Number.isFinite)) return
  const retry = precision === 'float32' ? '' : 'Choose the precision float32. '
  throw new ProblemError(
    'not-finite',
    `The latents hold NaN or infinity after step ${step + 1} (UNetMotionModel, ${providerTitles[provider]} in ${precision}). ${retry}Lower the guidance or the FreeU factors, or check the checkpoint; nothing was saved.`,
  )
}

/** Frame `index` of (1, C, F, h, w) times `scale`: (1, C, h, w). */
export function frameLatents({ shape, data }: Floats, index: number, scale: number): Floats {
  const [, channels, frames, height, width] = shape as [number, number, number, number, number]
  const plane = height * width
  const frame = new Float32Array(channels * plane)
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < plane; i++) frame[c * plane + i] = data[(c * frames + index) * plane + i]! * scale
  return float32([1, channels, height, width], frame)
}
