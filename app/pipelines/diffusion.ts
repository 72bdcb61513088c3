import { defaultCompute, type Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { notFinite } from '#app/contract/not-finite.ts'
import type { DiffusionSettings } from '#app/contract/pipelines/stable-diffusion.ts'
import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'
import type { FreeU } from '#app/contract/settings.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { isSound, unsound } from '#app/tensor/finite.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { float32, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import type { Residuals } from './conditioning.ts'
import { guide, joinRows } from './guidance.ts'
import type { Moments } from './moments.ts'
import { contextAt, encodeTexts, type Context, type PromptReader } from './prompts.ts'
import { framesAsSamples, rowsAsSamples } from './scheduler-samples.ts'

type Floats = Tensor<'float32'>

/**
 * What one prediction of the denoiser is made from. B rows: under guidance those without the prompt first, then those
 * with it.
 */
export type DenoiserInputs = {
  /** (B, C, h, w), or (B, C, F, h, w) for a clip of F frames. */
  readonly sample: Floats
  /** (1) */
  readonly timestep: Floats
  /** (B, L, D) */
  readonly encoderHiddenStates: Floats
  readonly freeu: FreeU | null
  /** Of the run, from 0, and how many there are. */
  readonly step: number
  readonly totalSteps: number
  /** What control networks add to the UNet's states. */
  readonly residuals?: Residuals
  /** Pictures that IP-Adapters show beside the prompt: one of each, (B, n, ...), and how much each counts. */
  readonly imagePrompts?: { readonly embeds: readonly Floats[]; readonly scales: readonly number[] } | undefined
  /** Which frames of the clip they are, where the sample is a window of it. */
  readonly frames?: readonly number[]
  /** What Stable Diffusion XL is told beside the prompt: text_embeds (B, P) and time_ids (B, 6). */
  readonly added?: { readonly textEmbeds: Floats; readonly timeIds: Floats }
  /** (B, D): how closely the prompt is to be followed, for a UNet that was taught to read it. */
  readonly timestepCond?: Floats
}

/** The models of a latent diffusion run, each as a function of tensors, so that a pipeline knows no engine. */
export type DiffusionParts = {
  readonly tokenizer: Tokenizer
  /** Token ids (1, L) -> hidden states (1, L, D), without the encoder's last `clipSkip` layers. */
  readonly encodeText: (ids: Tensor<'int64'>, clipSkip: number) => Promise<Floats>
  /** One prediction, of the sample's shape. */
  readonly denoise: (inputs: DenoiserInputs) => Promise<Floats>
  /** Latents of one picture (1, C, h, w), already divided by the scaling factor -> image (1, 3, H, W) in -1..1. */
  readonly decode: (latents: Floats) => Promise<Floats>
  /** An image (1, 3, H, W) in -1..1 -> what its latents are drawn from, not scaled. */
  readonly encode: (image: Floats) => Promise<Moments>
  /** For a batch of so many samples; 1 by default. */
  readonly createScheduler: (numInferenceSteps: number, samples?: number) => Scheduler
  /** The denoiser's class, to be named where it fails. */
  readonly denoiserClass: string
  readonly latentChannels: number
  /** Pixels of an image for each latent, along one side. */
  readonly vaeScaleFactor: number
  readonly scalingFactor: number
  /** Timesteps that the model was trained on. */
  readonly numTrainTimesteps: number
}

/** What a run chooses that is not the parts' own. `latents` and `noise` stand in the place of what the seed draws. */
export type DiffusionRequest = Pick<
  DiffusionSettings,
  'width' | 'height' | 'numInferenceSteps' | 'guidanceScale' | 'seed' | 'clipSkip'
> & {
  /** How far a guided prediction's deviation is drawn back to the conditioned one's; 0 by default. */
  readonly guidanceRescale?: number
  /** Plain words without it. */
  readonly promptSyntax?: PromptSyntax
  /** What the parts compute on, to be named where they fail. */
  readonly compute?: Compute
  /** Starting noise, in the shape of the latents. */
  readonly latents?: Floats
  /** Each further draw of the run, in order. */
  readonly noise?: DrawNoise
}

/** Standard normal noise. */
export type DrawNoise = (shape: Shape) => Float32Array

/**
 * All that a run draws comes from one generator, one draw after the other, unless the request brings its own noise.
 */
export function noiseOf({ noise, seed }: DiffusionRequest, generator = createGenerator(seed)): DrawNoise {
  return noise ?? ((shape) => generator.normal(shape).data)
}

/** Where denoising begins: before the evaluation `first` of a schedule, with latents of that noise level. */
export type Beginning = { readonly scheduler: Scheduler; readonly first: number; readonly latents: Floats }

/** The beginning with noise alone: the request's latents or those that are drawn. `samples`: the scheduler's. */
export function fromNoise(
  parts: DiffusionParts,
  request: DiffusionRequest,
  shape: Shape,
  draw: DrawNoise,
  { samples } = rowsAsSamples(shape),
): Beginning {
  const scheduler = parts.createScheduler(request.numInferenceSteps, samples)
  const noise = request.latents?.data ?? draw(shape)
  return { scheduler, first: 0, latents: float32(shape, scaled(noise, scheduler.initNoiseSigma)) }
}

export type DiffusionStep =
  | { readonly type: 'note'; readonly note: string }
  | { readonly type: 'encoded' }
  /** After a step: the latents, and the clean latents as the model sees them now. */
  | {
      readonly type: 'step'
      readonly step: number
      readonly totalSteps: number
      readonly latents: Floats
      readonly predOriginal: Floats
      readonly freeu: FreeU | null
    }
  /** A finished picture (1, 3, H, W) in -1..1. */
  | { readonly type: 'frame'; readonly index: number; readonly image: Floats }

/** Asked at the start of each step, so changes take effect at the next one. */
export type FreeUAt = (step: number) => FreeU | null

/** Height and width of the latents. Throws bad-input naming the side that no whole number of latents covers. */
export function latentSize(
  { vaeScaleFactor }: DiffusionParts,
  { width, height }: Pick<DiffusionRequest, 'width' | 'height'>,
): [height: number, width: number] {
  for (const [field, size] of Object.entries({ width, height }))
    if (size % vaeScaleFactor !== 0)
      throw new ProblemError(
        'bad-input',
        `${field} ${size} is not a multiple of ${vaeScaleFactor}, which this model's autoencoder needs`,
        { field },
      )
  return [height / vaeScaleFactor, width / vaeScaleFactor]
}

export type Prompt = Pick<DiffusionSettings, 'prompt' | 'negativePrompt'>

/**
 * Context (rows, L, D): under guidance the negative prompts' rows, then the prompts'. The notes tell what
 * did not fit.
 */
export async function encodePrompts(
  { tokenizer, encodeText }: DiffusionParts,
  prompts: readonly Prompt[],
  {
    clipSkip,
    guided,
    promptSyntax = 'plain',
    numInferenceSteps,
  }: Pick<DiffusionRequest, 'clipSkip' | 'promptSyntax' | 'numInferenceSteps'> & { guided: boolean },
): Promise<{ context: Context; notes: string[] }> {
  // The reference skips layers for the prompt alone, never for the negative prompt.
  const texts = [
    ...(guided ? prompts.map((one) => ({ name: 'negative prompt', texts: [one.negativePrompt], skip: 0 })) : []),
    ...prompts.map(({ prompt }) => ({ name: 'prompt', texts: [prompt], skip: clipSkip ?? 0 })),
  ]
  const encode: PromptReader['encode'] = async ({ name, skip }, ids) => ({
    states: await during(`The ${name}`, encodeText(ids, skip)),
  })
  return encodeTexts(texts, { readers: [{ tokenizer, encode }], syntax: promptSyntax, steps: numInferenceSteps })
}

/**
 * Noise denoised step by step under classifier-free guidance (arXiv 2207.12598). Ends with the latents, of the shape
 * of those that it began with. `guided`: each sample is shown twice, without the prompt and with it. Throws not-finite
 * naming the step.
 */
export async function* denoiseSteps(
  parts: DiffusionParts,
  request: DiffusionRequest,
  how: {
    readonly context: Context
    readonly guided: boolean
    readonly timestepCond?: Floats
    /** The scheduler takes each frame of a clip as a sample of its own, and draws its noise in that order. */
    readonly eachFrame?: boolean
    /** What is told beside the prompts, which may change with them from step to step. */
    readonly added?: (step: number) => NonNullable<DenoiserInputs['added']>
    readonly beginning: Beginning
    readonly draw: DrawNoise
    /** The evaluation before which it ends; without it after the last. */
    readonly end?: number
  },
  freeuAt: FreeUAt,
): AsyncGenerator<DiffusionStep, Floats> {
  const { context, guided, timestepCond, added, eachFrame, beginning, draw } = how
  const { scheduler, first } = beginning
  const { shape } = beginning.latents
  const { apart, together } = (eachFrame ? framesAsSamples : rowsAsSamples)(shape)
  const noise = () => draw(shape)
  let { latents } = beginning
  const totalSteps = (how.end ?? scheduler.timesteps.length) - first
  for (let step = 0; step < totalSteps; step++) {
    const index = first + step
    const freeu = freeuAt(step)
    const input = float32(shape, scheduler.scaleModelInput(latents.data, index))
    const place = `Step ${step + 1} of ${totalSteps}`
    const inputs = {
      sample: guided ? joinRows([input, input]) : input,
      timestep: float32([1], [scheduler.timesteps[index]!]),
      encoderHiddenStates: contextAt(context, index),
      freeu,
      step,
      totalSteps,
      ...(timestepCond && { timestepCond }),
      ...(added && { added: added(index) }),
    }
    const predicted = await during(place, parts.denoise(inputs))
    const noisePrediction = guided ? guide(predicted, request.guidanceScale, request.guidanceRescale) : predicted.data
    const stepped = scheduler.step(apart(noisePrediction), index, apart(latents.data), noise)
    latents = float32(shape, together(stepped.prevSample))
    const predOriginal = float32(shape, together(stepped.predOriginalSample))
    if (!isSound(latents) || !isSound(predOriginal))
      throw notFinite(
        `${place}: the latents hold ${unsound}, though ${parts.denoiserClass} gave none`,
        request.compute ?? defaultCompute,
        'Lower the guidance, choose another scheduler, or check scheduler_config.json.',
      )
    yield { type: 'step', step, totalSteps, latents, predOriginal, freeu }
  }
  return latents
}

const scaled = (values: Float32Array, factor: number): Float32Array =>
  factor === 1 ? values : values.map((value) => value * factor)

/** Says where in the run a model gave what is not finite; a damaged file is damaged wherever it is read. */
export async function during<T>(place: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.code !== 'not-finite' || error.problem.file) throw error
    const { code, message, ...more } = error.problem
    throw new ProblemError(code, `${place}: ${message}`, { ...more, cause: error })
  }
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

/** A frame of the run from its latents, divided by the scaling factor. */
export async function decodedFrame(
  { decode }: DiffusionParts,
  latents: Floats,
  index: number,
  of: number,
): Promise<DiffusionStep> {
  return { type: 'frame', index, image: await during(`Frame ${index + 1} of ${of}`, decode(latents)) }
}
