import type { Compute } from '#app/contract/compute.ts'
import type { LocatedMedia } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { isPlainPrompt, itemsOf, type MixSettings } from '#app/contract/pipelines/prior.ts'
import type { Shape, Tensor } from '#app/tensor/tensor.ts'
import { mixEmbeddings, weightedSum, type MixItem } from '../mix.ts'
import { sampleEmbeddings, type Embeddings, type PriorStep } from '../prior.ts'
import { readEmbedding } from './embedding-file.ts'
import type { OpenPrior } from './prior.ts'
import { readStill } from './read-media.ts'

/** Where what a mix names is, and what is drawn on the way. */
export type MixTools = {
  /** The file of each picture and embedding, in the order of the mix. */
  readonly pictures: readonly LocatedMedia[]
  readonly embeddings: readonly LocatedMedia[]
  readonly noise: (shape: Shape) => Float32Array
  readonly compute: Compute
  readonly signal: AbortSignal
}

/**
 * The embedding that settings describe. `prior` is missing where embeddings that were kept are all that is asked for.
 * Throws bad-media naming a file, bad-input where an embedding has another width than the others.
 */
export async function* makeEmbeddings(
  prior: OpenPrior | undefined,
  settings: MixSettings,
  tools: MixTools,
): AsyncGenerator<PriorStep, Embeddings> {
  const { noise, compute, signal } = tools
  const negative = settings.negativePrompt.trim() === '' ? null : settings.negativePrompt
  const request = {
    numInferenceSteps: settings.priorSteps,
    guidanceScale: settings.priorGuidanceScale,
    noise,
    compute,
  }
  if (prior && isPlainPrompt(settings))
    return yield* sampleEmbeddings(prior, [settings.prompt], {
      ...request,
      negativePrompts: negative === null ? null : [negative],
    })

  const [pictures, files] = [[...tools.pictures], [...tools.embeddings]]
  const items: MixItem[] = []
  let firstKept: Embeddings | undefined
  let width = prior?.embeddingDim
  for (const item of itemsOf(settings)) {
    const { weight } = item
    if (item.kind === 'text') items.push({ text: item.text, weight })
    if (item.kind === 'picture') {
      const picture = await readStill(pictures.shift()!, signal)
      items.push({ embedding: await prior!.encodeImage(prior!.pixelValues(picture)), weight })
    }
    if (item.kind === 'embedding') {
      const { file, name } = files.shift()!
      const kept = await readEmbedding(file, name)
      width ??= kept.imageEmbeds.shape[1]!
      requireWidth(kept, width, name)
      firstKept ??= kept
      items.push({ embedding: kept.imageEmbeds, weight })
    }
  }
  if (prior)
    return yield* mixEmbeddings(prior, items, { ...request, negativePriorPrompt: negative, negativePrompt: '' })
  const embeddings = items as Extract<MixItem, { embedding: Tensor }>[]
  // Without a prior nothing else is known of what a picture is to be guided away from.
  return { imageEmbeds: weightedSum(embeddings), negativeImageEmbeds: firstKept!.negativeImageEmbeds }
}

function requireWidth({ imageEmbeds }: Embeddings, width: number, name: string): void {
  const own = imageEmbeds.shape[1]!
  if (own === width) return
  const message = `The embedding ${name} has ${own} numbers, and ${width} are needed: it was made by another kind of prior.`
  throw new ProblemError('bad-input', message, { field: 'mix' })
}
