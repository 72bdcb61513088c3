import type { Compute } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { rows, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { during } from './diffusion.ts'
import { guide, guideMean, joinRows, meanOf, repeatRows } from './guidance.ts'
import type { Embeddings } from './prior.ts'
import { sampleSteps, type SampleStep } from './sample.ts'

type Floats = Tensor<'float32'>

/** The models of a decoder that makes pictures of embeddings, each as a function of tensors. */
export type DecoderParts = {
  /** sample (B, C, h, w), timestep (1), image embeddings (B, E) -> (B, C, h, w), or (B, 2C, h, w) with a variance. */
  readonly denoise: (inputs: { sample: Floats; timestep: Floats; imageEmbeds: Floats }) => Promise<Floats>
  /** Latents of one picture (1, C, h, w) -> image (1, 3, H, W), about -1..1. */
  readonly decode: (latents: Floats) => Promise<Floats>
  /** Image (1, 3, H, W) in -1..1 -> latents (1, C, h, w). */
  readonly encode: (image: Floats) => Promise<Floats>
  readonly createScheduler: (numInferenceSteps: number, batch: number) => Scheduler
  /** The denoiser's class, to be named where it fails. */
  readonly denoiserClass: string
  readonly latentChannels: number
  /** Pixels of an image for each latent, along one side. */
  readonly scaleFactor: number
}

export type DecoderRequest = {
  readonly width: number
  readonly height: number
  readonly numInferenceSteps: number
  readonly guidanceScale: number
  readonly imagesPerPrompt?: number
  /** Standard normal numbers of a shape, drawn one tensor after the other. */
  readonly noise: (shape: Shape) => Float32Array
  /** The noise that sampling starts with, in place of a draw. */
  readonly latents?: Floats
  /** A picture (N, 3, H, W) in -1..1 of the asked size to start from, and how far it is changed, 0 to 1. */
  readonly init?: { readonly image: Floats; readonly strength: number }
  /** What the parts compute on, to be named where they fail. */
  readonly compute?: Compute | undefined
}

/** `frame`: a finished picture (1, 3, H, W), about -1..1. */
export type DecoderStep =
  SampleStep<'step'> | { readonly type: 'frame'; readonly index: number; readonly image: Floats }

/**
 * Pictures of embeddings as KandinskyV22Pipeline makes them, or with `init` as KandinskyV22Img2ImgPipeline. Latents
 * are (N, C, h, w), those of the first embedding first; sides that are no multiple of scaleFactor squared grow to the
 * next one.
 * Source: diffusers/src/diffusers/pipelines/kandinsky2_2/pipeline_kandinsky2_2.py and
 * pipeline_kandinsky2_2_img2img.py@58eb52c.
 * Throws bad-input naming the field, and not-finite naming the step or the picture.
 */
export async function* decodeEmbeddings(
  parts: DecoderParts,
  { imageEmbeds, negativeImageEmbeds }: Embeddings,
  request: DecoderRequest,
): AsyncGenerator<DecoderStep, void> {
  const { imagesPerPrompt = 1, guidanceScale, noise } = request
  const guided = guidanceScale > 1
  const conditioned = repeatRows(imageEmbeds, imagesPerPrompt)
  const embeds = guided ? joinRows([repeatRows(negativeImageEmbeds, imagesPerPrompt), conditioned]) : conditioned
  const [count] = conditioned.shape as [number]
  const scheduler = parts.createScheduler(request.numInferenceSteps, count)
  const { shape, start, firstStep } = await startOf(parts, request, scheduler, count)

  const latents = yield* sampleSteps('step', {
    scheduler,
    firstStep,
    shape,
    start,
    noise: () => noise(shape),
    async predict(input, timestep) {
      const sample = guided ? joinRows([input, input]) : input
      const predicted = await parts.denoise({ sample, timestep, imageEmbeds: embeds })
      if (predicted.shape[1] === shape[1]) return guided ? guide(predicted, guidanceScale) : predicted.data
      const both = guided ? guideMean(predicted, guidanceScale) : predicted
      return scheduler.learnsVariance ? both.data : meanOf(both)
    },
    what: 'Step',
    className: parts.denoiserClass,
    compute: request.compute,
  })
  for (let index = 0; index < count; index++) {
    const image = await during(`Picture ${index + 1} of ${count}`, parts.decode(rows(latents, index, index + 1)))
    yield { type: 'frame', index, image }
  }
}

/** The sample that the first step takes, and which step that is. */
async function startOf(
  parts: DecoderParts,
  { width, height, latents, init, noise, ...request }: DecoderRequest,
  scheduler: Scheduler,
  count: number,
): Promise<{ shape: Shape; start: Float32Array; firstStep: number }> {
  const { scaleFactor, latentChannels } = parts
  if (!init) {
    const side = (pixels: number): number => Math.ceil(pixels / scaleFactor ** 2) * scaleFactor
    const shape = [count, latentChannels, side(height), side(width)]
    const start = (latents?.data ?? noise(shape)).map((value) => value * scheduler.initNoiseSigma)
    return { shape, start, firstStep: 0 }
  }
  const { image, strength } = init
  const kept = Math.min(Math.trunc(request.numInferenceSteps * strength), request.numInferenceSteps)
  if (kept === 0)
    throw new ProblemError(
      'bad-input',
      `A strength of ${strength} leaves none of ${request.numInferenceSteps} steps: raise one of them.`,
      { field: 'strength' },
    )
  const firstStep = request.numInferenceSteps - kept
  const encoded: Floats[] = []
  for (let index = 0; index < image.shape[0]!; index++)
    encoded.push(await during('The picture', parts.encode(rows(image, index, index + 1))))
  const clean = repeatRows(joinRows(encoded), count / encoded.length)
  const start = scheduler.addNoise(clean.data, noise(clean.shape), firstStep)
  return { shape: clean.shape, start, firstStep }
}
