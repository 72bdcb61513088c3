import type { Compute } from '#app/contract/compute.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { float32, int64, rows, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { during } from './diffusion.ts'
import { beginning } from './prompts.ts'
import { guide, joinRows, repeatRows } from './guidance.ts'
import { sampleSteps, type SampleStep } from './sample.ts'

type Floats = Tensor<'float32'>

/** The models of a prior that makes an image's embedding out of a text, each as a function of tensors. */
export type PriorParts = {
  readonly tokenizer: Tokenizer
  /** Token ids (1, L) -> the text's embedding (1, E) and hidden states (1, L, E). */
  readonly encodeText: (ids: Tensor<'int64'>) => Promise<{ embeds: Floats; states: Floats }>
  /** One prediction of the embedding (B, E). */
  readonly predict: (inputs: PriorInputs) => Promise<Floats>
  /** Sampled latents (B, E) as embeddings (B, E). */
  readonly postProcess: (latents: Floats) => Promise<Floats>
  readonly createScheduler: (numInferenceSteps: number) => Scheduler
  /** The prior's class, to be named where it fails. */
  readonly className: string
  readonly embeddingDim: number
}

export type PriorInputs = {
  /** (B, E) */
  readonly hiddenStates: Floats
  /** (1) */
  readonly timestep: Floats
} & EncodedTexts

/** B texts as the prior reads them. */
export type EncodedTexts = {
  /** (B, E) */
  readonly embeds: Floats
  /** (B, L, E) */
  readonly states: Floats
  /** (B, L): 1 for the tokens that count. */
  readonly mask: Floats
}

export type PriorRequest = {
  readonly numInferenceSteps: number
  readonly guidanceScale: number
  /** Standard normal numbers of a shape, drawn one tensor after the other. */
  readonly noise: (shape: Shape) => Float32Array
  /** The noise that sampling starts with, in place of a draw. */
  readonly latents?: Floats
  /** What the parts compute on, to be named where they fail. */
  readonly compute?: Compute | undefined
}

/** An image's embedding (N, E), and what it is guided away from (N, E). */
export type Embeddings = { readonly imageEmbeds: Floats; readonly negativeImageEmbeds: Floats }

export type PriorStep = { readonly type: 'note'; readonly note: string } | SampleStep<'prior-step'>

/**
 * An embedding of what a text says, as KandinskyV22PriorPipeline and KandinskyPriorPipeline sample it. N rows, those
 * of the first prompt first. With negative prompts, one for each, these are sampled beside them; without them an image
 * is guided away from `zeroEmbedding`, that of a black picture.
 * Source: diffusers/src/diffusers/pipelines/kandinsky2_2/pipeline_kandinsky2_2_prior.py@58eb52c.
 * Throws bad-input for an impossible number of steps, and not-finite naming the step.
 */
export async function* sampleEmbeddings(
  parts: PriorParts & { readonly zeroEmbedding: () => Promise<Floats> },
  prompts: readonly string[],
  { negativePrompts, imagesPerPrompt = 1, ...request }: EmbeddingRequest,
): AsyncGenerator<PriorStep, Embeddings> {
  const guided = request.guidanceScale > 1
  const negatives = negativePrompts ?? prompts.map(() => '')
  const sampled = negativePrompts ? [...prompts, ...negatives] : prompts
  const { notes, ...texts } = await encodeTexts(parts, [
    ...(guided ? (negativePrompts ? [...negatives, ...negatives] : negatives) : []),
    ...sampled,
  ])
  for (const note of notes) yield { type: 'note', note }
  const each = repeatedTexts(texts, imagesPerPrompt)
  const embeds = yield* priorSteps(parts, each, { ...request, guided })
  const count = prompts.length * imagesPerPrompt
  return {
    imageEmbeds: rows(embeds, 0, count),
    negativeImageEmbeds: negativePrompts
      ? rows(embeds, count, 2 * count)
      : repeatRows(await parts.zeroEmbedding(), count),
  }
}

export type EmbeddingRequest = PriorRequest & {
  /** null: none. */
  readonly negativePrompts: readonly string[] | null
  readonly imagesPerPrompt?: number
}

/** Texts with their rows one after the other; the notes tell what did not fit. */
export async function encodeTexts(
  { tokenizer, encodeText }: Pick<PriorParts, 'tokenizer' | 'encodeText'>,
  texts: readonly string[],
): Promise<EncodedTexts & { notes: string[] }> {
  const notes: string[] = []
  const encoded = new Map<string, EncodedTexts>()
  for (const text of texts) {
    if (encoded.has(text)) continue
    const { ids, mask, truncated } = tokenizer.encodePrompt(text)
    if (truncated !== null)
      notes.push(`A text is longer than ${tokenizer.maxLength} tokens; this part was left out: ${beginning(truncated)}`)
    const made = await during(`The text “${beginning(text)}”`, encodeText(int64([1, ids.length], ids)))
    encoded.set(text, { ...made, mask: float32([1, mask.length], mask) })
  }
  const all = (part: keyof EncodedTexts): Floats => joinRows(texts.map((text) => encoded.get(text)![part]))
  return { embeds: all('embeds'), states: all('states'), mask: all('mask'), notes }
}

export const repeatedTexts = ({ embeds, states, mask }: EncodedTexts, times: number): EncodedTexts => ({
  embeds: repeatRows(embeds, times),
  states: repeatRows(states, times),
  mask: repeatRows(mask, times),
})

/**
 * The prior's steps: embeddings (N, E) for the texts' N rows, or under guidance, where those without the prompt come
 * first, for N of the 2 N.
 */
export async function* priorSteps(
  parts: PriorParts,
  texts: EncodedTexts,
  request: PriorRequest & { readonly guided: boolean },
): AsyncGenerator<PriorStep, Floats> {
  const { guided, guidanceScale, noise } = request
  const scheduler = parts.createScheduler(request.numInferenceSteps)
  const count = texts.embeds.shape[0]! / (guided ? 2 : 1)
  const shape = [count, parts.embeddingDim]
  const latents = yield* sampleSteps('prior-step', {
    scheduler,
    shape,
    start: (request.latents?.data ?? noise(shape)).map((value) => value * scheduler.initNoiseSigma),
    noise: () => noise(shape),
    async predict(input, timestep) {
      const hiddenStates = guided ? joinRows([input, input]) : input
      const predicted = await parts.predict({ hiddenStates, timestep, ...texts })
      return guided ? guide(predicted, guidanceScale) : predicted.data
    },
    what: 'Step',
    className: parts.className,
    compute: request.compute,
  })
  return parts.postProcess(latents)
}
