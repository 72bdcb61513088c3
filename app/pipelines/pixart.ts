import type { Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { promptTokens, type PixArtSettings } from '#app/contract/pipelines/pixart.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { cleanCaption, plainCaption } from './clean-caption.ts'
import { covering } from './covering.ts'
import { during, type DiffusionStep, type FreeUAt } from './diffusion.ts'
import { guide, joinRows } from './guidance.ts'
import { binFor, type Size } from './resolution-bins.ts'
import { sampleSteps } from './sample.ts'

type Floats = Tensor<'float32'>

/** Hidden states (N, L, D) of N prompts, and which of the L tokens count: 1 or 0 in (N, L). */
export type TextStates = { readonly states: Floats; readonly mask: Floats }

/** The models of a PixArt run, each as a function of tensors. */
export type PixArtParts = {
  readonly family: 'alpha' | 'sigma'
  readonly tokenizer: Tokenizer
  /** The ids of a prompt, n of them -> hidden states (1, n, D). */
  readonly encodeText: (ids: readonly number[]) => Promise<Floats>
  /** One prediction (B, C, h, w), of twice the sample's channels where the model learns its variance. */
  readonly denoise: (inputs: {
    readonly sample: Floats
    /** (1) */
    readonly timestep: Floats
    readonly text: TextStates
    /** In pixels, for a model that is told them. */
    readonly size: Size | null
  }) => Promise<Floats>
  /** Latents of one picture (1, C, h, w), already divided by the scaling factor -> image (1, 3, H, W) in -1..1. */
  readonly decode: (latents: Floats) => Promise<Floats>
  readonly createScheduler: (numInferenceSteps: number, batch?: number) => Scheduler
  readonly denoiserClass: string
  readonly latentChannels: number
  /** Side of the latents that the model was trained for. */
  readonly sampleSize: number
  readonly patchSize: number
  /** The denoiser reads height, width and their ratio. */
  readonly takesSize: boolean
  readonly vaeScaleFactor: number
  readonly scalingFactor: number
}

type OfSettings = 'width' | 'height' | 'numInferenceSteps' | 'guidanceScale' | 'seed' | 'timesteps'
type Chosen = 'useResolutionBinning' | 'cleanCaption' | 'maxSequenceLength'

type GivenTexts = { readonly prompts: TextStates; readonly negative: TextStates }

/** What a run chooses that is not the parts' own. `latents` and `noise` stand in the place of what the seed draws. */
export type PixArtRequest = Pick<PixArtSettings, OfSettings | Chosen> & {
  /** Prompts and negative prompts; or both as what the text encoder gives for them. */
  readonly texts: readonly Pick<PixArtSettings, 'prompt' | 'negativePrompt'>[] | GivenTexts
  readonly imagesPerPrompt?: number
  readonly compute?: Compute
  readonly latents?: Floats
  readonly noise?: () => Float32Array
}

/**
 * Text to image as PixArtAlphaPipeline and PixArtSigmaPipeline do it. N images, those of the first prompt first; the
 * latents of each step are (N, C, h, w). Papers: arXiv 2310.00426, 2403.04692.
 * Source: diffusers/src/diffusers/pipelines/pixart_alpha/pipeline_pixart_alpha.py and pipeline_pixart_sigma.py@58eb52c.
 * `beforeStep` is called as each step begins; there is no FreeU to be told of. Throws bad-input naming the field, and
 * not-finite naming the step or the picture.
 */
export async function* pixart(
  parts: PixArtParts,
  request: PixArtRequest,
  beforeStep: FreeUAt,
): AsyncGenerator<DiffusionStep, void> {
  const { texts, imagesPerPrompt = 1, guidanceScale, timesteps } = request
  const made = request.useResolutionBinning ? binFor(request, parts.sampleSize, parts.family) : request
  const [height, width] = latentSize(parts, made)
  const guided = guidanceScale > 1
  const { notes, text } = await encodePrompts(parts, request, guided)
  for (const note of notes) yield { type: 'note', note }
  yield { type: 'encoded' }

  const count = (isGiven(texts) ? texts.prompts.states.shape[0]! : texts.length) * imagesPerPrompt
  const shape = [count, parts.latentChannels, height, width]
  const generator = createGenerator(request.seed)
  const noise = request.noise ?? (() => generator.normal(shape).data)
  const steps = timesteps?.length ?? request.numInferenceSteps
  const scheduler = parts.createScheduler(steps, count)
  const { initNoiseSigma } = scheduler
  const start = (request.latents?.data ?? noise()).map((value) => value * initNoiseSigma)
  const size = parts.takesSize ? { height: made.height, width: made.width } : null
  const sampled = sampleSteps('step', {
    scheduler,
    shape,
    start,
    noise,
    what: 'Step',
    className: parts.denoiserClass,
    compute: request.compute,
    predict: async (input, timestep, step) => {
      beforeStep(step)
      const sample = guided ? joinRows([input, input]) : input
      // The variance that a model learns is not used: the first half of the channels is the noise.
      const predicted = firstChannels(await parts.denoise({ sample, timestep, text, size }), parts.latentChannels)
      return guided ? guide(predicted, guidanceScale) : predicted.data
    },
  })
  let clean = float32(shape, start)
  for await (const event of sampled) {
    // One step in all: Alpha's picture is the clean sample as the model sees it, not what the scheduler makes of it.
    clean = parts.family === 'alpha' && steps === 1 ? event.predOriginal : event.latents
    yield { ...event, freeu: null }
  }
  const scaled = clean.data.map((value) => value / parts.scalingFactor)
  for (let index = 0; index < count; index++) {
    const latents = rows(float32(shape, scaled), index, index + 1)
    const image = await during(`Picture ${index + 1} of ${count}`, parts.decode(latents))
    yield { type: 'frame', index, image: request.useResolutionBinning ? covering(image, request) : image }
  }
}

function latentSize({ vaeScaleFactor, patchSize }: PixArtParts, size: Size): [height: number, width: number] {
  const multiple = vaeScaleFactor * patchSize
  for (const field of ['width', 'height'] as const)
    if (size[field] % multiple !== 0)
      throw new ProblemError(
        'bad-input',
        `${field} ${size[field]} is not a multiple of ${multiple}, which this model needs without resolution binning`,
        { field },
      )
  return [size.height / vaeScaleFactor, size.width / vaeScaleFactor]
}

const isGiven = (texts: PixArtRequest['texts']): texts is GivenTexts => 'prompts' in texts

/** All rows of the denoiser's context: under guidance those of the negative prompts first. */
async function encodePrompts(
  parts: PixArtParts,
  { texts, cleanCaption: cleaned, maxSequenceLength, imagesPerPrompt = 1 }: PixArtRequest,
  guided: boolean,
): Promise<{ notes: string[]; text: TextStates }> {
  const notes: string[] = []
  const length = maxSequenceLength ?? promptTokens[parts.family]
  const encode = async (name: string, prompt: string): Promise<TextStates> => {
    const { ids, mask, truncated } = parts.tokenizer.encodePrompt(
      cleaned ? cleanCaption(prompt) : plainCaption(prompt),
      {
        maxLength: length,
      },
    )
    if (truncated !== null) {
      const left = truncated.length > 100 ? `${truncated.slice(0, 100)}…` : truncated
      notes.push(`The ${name} is longer than ${length} tokens; this part was left out: ${left}`)
    }
    // What only fills up to the length has no weight anywhere, so that the encoder need not read it.
    const used = mask.filter((one) => one === 1).length
    const { shape, data } = await during(`The ${name}`, parts.encodeText(ids.slice(0, used)))
    const states = new Float32Array(length * shape[2]!)
    states.set(data)
    return { states: float32([1, length, shape[2]!], states), mask: float32([1, length], mask) }
  }
  const groups: TextStates[] = []
  if (isGiven(texts)) groups.push(...(guided ? [texts.negative] : []), texts.prompts)
  else {
    if (guided) for (const { negativePrompt } of texts) groups.push(await encode('negative prompt', negativePrompt))
    for (const { prompt } of texts) groups.push(await encode('prompt', prompt))
  }
  const repeated = (tensors: readonly Floats[]): Floats => {
    const each = tensors.flatMap((tensor) =>
      Array.from({ length: tensor.shape[0]! }, (_, row) => rows(tensor, row, row + 1)),
    )
    return joinRows(each.flatMap((row) => Array.from({ length: imagesPerPrompt }, () => row)))
  }
  return {
    notes,
    text: { states: repeated(groups.map(({ states }) => states)), mask: repeated(groups.map(({ mask }) => mask)) },
  }
}

/** (B, C or more, h, w) -> (B, C, h, w). */
function firstChannels({ shape, data }: Floats, channels: number): Floats {
  const [batch, all, height, width] = shape as [number, number, number, number]
  if (all === channels) return float32(shape, data)
  const plane = height * width
  const kept = new Float32Array(batch * channels * plane)
  for (let row = 0; row < batch; row++)
    kept.set(data.subarray(row * all * plane, (row * all + channels) * plane), row * channels * plane)
  return float32([batch, channels, height, width], kept)
}
