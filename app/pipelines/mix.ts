import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { repeatRows } from './guidance.ts'
import { sampleEmbeddings, type Embeddings, type PriorParts, type PriorRequest, type PriorStep } from './prior.ts'

type Floats = Tensor<'float32'>

/** What goes into a mix, with its weight: a text, or an embedding (1, E), which may be that of a picture. */
export type MixItem = { readonly weight: number } & ({ readonly text: string } | { readonly embedding: Floats })

export type MixRequest = PriorRequest & {
  /** What no text of the mix shall be; null: none. */
  readonly negativePriorPrompt: string | null
  /** What a picture is guided away from; empty: from the negative prior prompt, or without it a black picture. */
  readonly negativePrompt: string
  readonly imagesPerPrompt?: number
}

/**
 * The weighted sum of what texts and embeddings say, as `interpolate` of KandinskyV22PriorPipeline and
 * KandinskyPriorPipeline. Weights are taken as they are. Every text is sampled from the same latents where these are
 * given, one after the other, and at last what a picture is guided away from, unless that is a black one.
 * Source: diffusers/src/diffusers/pipelines/kandinsky2_2/pipeline_kandinsky2_2_prior.py@58eb52c interpolate.
 * Errors as of `sampleEmbeddings`.
 */
export async function* mixEmbeddings(
  parts: PriorParts & { readonly zeroEmbedding: () => Promise<Floats> },
  items: readonly MixItem[],
  { negativePriorPrompt, negativePrompt, imagesPerPrompt = 1, ...request }: MixRequest,
): AsyncGenerator<PriorStep, Embeddings> {
  const negativePrompts = negativePriorPrompt === null ? null : [negativePriorPrompt]
  const sample = (text: string) => sampleEmbeddings(parts, [text], { ...request, negativePrompts, imagesPerPrompt })
  const weighted: { embedding: Floats; weight: number }[] = []
  for (const item of items) {
    const embedding =
      'text' in item ? (yield* sample(item.text)).imageEmbeds : repeatRows(item.embedding, imagesPerPrompt)
    weighted.push({ embedding, weight: item.weight })
  }
  const imageEmbeds = weightedSum(weighted)
  if (negativePrompt === '' && negativePrompts === null)
    return { imageEmbeds, negativeImageEmbeds: repeatRows(await parts.zeroEmbedding(), imagesPerPrompt) }
  const away = yield* sample(negativePrompt)
  return { imageEmbeds, negativeImageEmbeds: negativePrompt === '' ? away.negativeImageEmbeds : away.imageEmbeds }
}

/** The sum of embeddings of one shape, each times its weight. */
export function weightedSum(items: readonly { readonly embedding: Floats; readonly weight: number }[]): Floats {
  const [first] = items
  if (!first) throw new Error('there is nothing to mix')
  const sum = new Float32Array(first.embedding.data.length)
  for (const { embedding, weight } of items) embedding.data.forEach((value, i) => (sum[i]! += weight * value))
  return float32(first.embedding.shape, sum)
}

/** How alike two embeddings are: the cosine of the angle between them, -1 to 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
}
