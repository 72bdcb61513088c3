import { stat } from 'node:fs/promises'
import { pipelines } from '#app/contract/pipelines.ts'
import { embeddingRecipeSchema } from '#app/contract/recipe.ts'
import { reportQuantizing } from '#app/runtime/quantize/report-quantizing.ts'
import { createGenerator } from '#app/tensor/generator.ts'
import { writeEmbedding } from './embedding-file.ts'
import { recipeOf } from './finish-run.ts'
import { makeEmbeddings } from './make-embeddings.ts'
import { openPrior } from './prior.ts'
import type { Runner } from './run.ts'
import { stepEvents } from './step-events.ts'

/** Parts of the progress bar: reading, and all steps; what is left is writing. */
const readingShare = 0.1
const stepsShare = 0.85

/** Makes an embedding of texts, pictures and embeddings, and writes it with its recipe. */
export const runTextToEmbedding: Runner<'text-to-embedding'> = async function* (tools, request, context) {
  const { settings, models, media = {}, out } = request
  const [model] = models.model ?? []
  if (!model || out === undefined) throw new Error('an embedding needs a model and a file to write to')
  yield { type: 'stage', stage: 'Reading the model', progress: 0 }
  const { compute } = settings
  const prior = await openPrior(tools.sessions, model.folder, {
    compute,
    onQuantizing: reportQuantizing(context, readingShare),
  })
  context.checkCancelled()
  yield { type: 'stage', stage: 'Reading texts and pictures', progress: readingShare / 2 }
  const generator = createGenerator(settings.seed)
  const running = makeEmbeddings(prior, settings, {
    pictures: media.pictures ?? [],
    embeddings: media.embeddings ?? [],
    noise: (shape) => generator.normal(shape).data,
    compute,
    signal: context.signal,
  })
  const nextStep = stepEvents(pipelines['text-to-embedding'].stepsOf(settings), readingShare, stepsShare)
  const notes: string[] = []
  let next = await running.next()
  for (; !next.done; next = await running.next()) {
    context.checkCancelled()
    if (next.value.type === 'note') notes.push(next.value.note)
    yield next.value.type === 'note' ? next.value : nextStep()
  }
  context.checkCancelled()
  yield { type: 'stage', stage: 'Saving the embedding', progress: readingShare + stepsShare }
  const recipe = await recipeOf(embeddingRecipeSchema, tools, request, context, settings)
  await writeEmbedding(out, next.value, JSON.stringify(recipe))
  return { kind: 'embedding', recipe, bytes: (await stat(out)).size, notes }
}
