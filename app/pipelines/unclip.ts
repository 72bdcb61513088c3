import { resizeFloats } from '#app/media/resize-floats.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { guideMean, joinRows } from './guidance.ts'
import { encodeTexts, priorSteps, repeatedTexts, type PriorParts, type PriorRequest, type PriorStep } from './prior.ts'
import { sampleSteps, type SampleStep } from './sample.ts'

type Floats = Tensor<'float32'>

/**
 * unCLIP's models, each as a function of tensors: the prior's, and those that make a small picture and a larger one.
 */
export type UnclipParts = {
  readonly prior: PriorParts
  /** An image's embeddings (N, E) and the texts' -> states (B, T + L, D) and time embeddings (B, D). */
  readonly projectText: (inputs: {
    imageEmbeds: Floats
    promptEmbeds: Floats
    states: Floats
    guided: boolean
  }) => Promise<{ states: Floats; timeEmbeds: Floats }>
  /** Tokens that an image's embedding adds in front of the text's. */
  readonly extraTokens: number
  readonly decoder: Stage & {
    /** sample (B, C, h, w) -> (B, 2C, h, w): mean and variance. */
    readonly predict: (inputs: {
      sample: Floats
      timestep: Floats
      states: Floats
      timeEmbeds: Floats
      /** (B, T + L) */
      mask: Floats
    }) => Promise<Floats>
  }
  readonly superRes: Stage & {
    /**
     * sample (N, 2C, h, w): noise, and the small picture made larger -> (N, C, h, w). The last step has its own model.
     */
    readonly predict: (inputs: { sample: Floats; timestep: Floats }, isLast: boolean) => Promise<Floats>
  }
}

type Stage = {
  readonly channels: number
  /** Width and height of its pictures in pixels. */
  readonly size: number
  readonly className: string
  readonly createScheduler: (numInferenceSteps: number, batch: number) => Scheduler
}

export type UnclipRequest = Pick<PriorRequest, 'noise' | 'compute'> & {
  readonly prompts: readonly string[]
  readonly imagesPerPrompt?: number
  readonly prior: Omit<PriorRequest, 'noise' | 'compute'>
  readonly decoder: Omit<PriorRequest, 'noise' | 'compute'>
  readonly superRes: { readonly numInferenceSteps: number; readonly latents?: Floats }
}

/** `frame`: a finished picture (1, 3, H, W), about -1..1. */
export type UnclipStep =
  | PriorStep
  | SampleStep<'decoder-step'>
  | SampleStep<'super-res-step'>
  | { readonly type: 'frame'; readonly index: number; readonly image: Floats }

/**
 * Pictures of texts as UnCLIPPipeline (karlo) makes them: a prior, a decoder of small pictures, and a model that makes
 * them larger. N pictures, those of the first prompt first. Source:
 * diffusers/src/diffusers/pipelines/deprecated/unclip/pipeline_unclip.py@58eb52c; arXiv 2204.06125.
 * Throws bad-input for an impossible number of steps, and not-finite naming stage and step.
 */
export async function* unclip(
  parts: UnclipParts,
  { prompts, imagesPerPrompt = 1, noise, compute, ...request }: UnclipRequest,
): AsyncGenerator<UnclipStep, void> {
  // One scale above 1 gives both stages their half without the prompt.
  const guided = request.prior.guidanceScale > 1 || request.decoder.guidanceScale > 1
  const { notes, ...texts } = await encodeTexts(parts.prior, [...(guided ? prompts.map(() => '') : []), ...prompts])
  for (const note of notes) yield { type: 'note', note }
  const each = repeatedTexts(texts, imagesPerPrompt)
  const imageEmbeds = yield* priorSteps(parts.prior, each, { ...request.prior, noise, compute, guided })
  const count = imageEmbeds.shape[0]!

  const text = await parts.projectText({ imageEmbeds, promptEmbeds: each.embeds, states: each.states, guided })
  const inputs = { ...text, mask: withOnes(each.mask, parts.extraTokens) }
  const { decoder, superRes } = parts
  const stage = (of: Stage, latents: Floats | undefined, scheduler: Scheduler) => {
    const shape = [count, of.channels, of.size, of.size]
    const start = (latents?.data ?? noise(shape)).map((value) => value * scheduler.initNoiseSigma)
    return { scheduler, shape, start, noise: () => noise(shape), className: of.className, compute }
  }
  const decoderScheduler = decoder.createScheduler(request.decoder.numInferenceSteps, count)
  const small = yield* sampleSteps('decoder-step', {
    ...stage(decoder, request.decoder.latents, decoderScheduler),
    async predict(input, timestep) {
      const sample = guided ? joinRows([input, input]) : input
      const predicted = await decoder.predict({ sample, timestep, ...inputs })
      return (guided ? guideMean(predicted, request.decoder.guidanceScale) : predicted).data
    },
    what: 'Decoder step',
  })

  const clamped = float32(
    small.shape,
    small.data.map((value) => Math.min(Math.max(value, -1), 1)),
  )
  const larger = resizeFloats(clamped, superRes.size, superRes.size)
  const scheduler = superRes.createScheduler(request.superRes.numInferenceSteps, count)
  const images = yield* sampleSteps('super-res-step', {
    ...stage(superRes, request.superRes.latents, scheduler),
    async predict(input, timestep, step) {
      const isLast = step === scheduler.timesteps.length - 1
      return (await superRes.predict({ sample: joinChannels(input, larger), timestep }, isLast)).data
    },
    what: 'Super-resolution step',
  })
  for (let index = 0; index < count; index++) yield { type: 'frame', index, image: rows(images, index, index + 1) }
}

/** (B, L) with `count` ones in front of each row. */
function withOnes({ shape, data }: Floats, count: number): Floats {
  const [batch, length] = shape as [number, number]
  const values = new Float32Array(batch * (count + length)).fill(1)
  for (let row = 0; row < batch; row++)
    values.set(data.subarray(row * length, (row + 1) * length), row * (count + length) + count)
  return float32([batch, count + length], values)
}

/** Channels of two pictures of one size, one after the other: (N, C, h, w) twice -> (N, 2C, h, w). */
function joinChannels(a: Floats, b: Floats): Floats {
  const [count, channels, ...sides] = a.shape as readonly [number, number, ...number[]]
  const each = Array.from({ length: count }, (_, i) => [rows(a, i, i + 1), rows(b, i, i + 1)]).flat()
  return float32([count, 2 * channels, ...sides], joinRows(each).data)
}
