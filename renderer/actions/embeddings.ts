import { isEmbedding, type EmbeddingResult, type Result } from '#app/contract/results.ts'
import { embeddingUrl, fetchBlob } from '#renderer/bridge/media.ts'
import { callHost } from '#renderer/store/host.ts'
import { tell, tellFailure } from '#renderer/store/toasts.ts'
import { withPipeline } from '#renderer/store/choose-model.ts'
import { draftStore } from '#renderer/store/draft.ts'
import { replaceDraft, undoDraft } from '#renderer/store/draft-history.ts'
import { studioStore } from '#renderer/store/studio.ts'
import { goTo } from '#renderer/store/view.ts'
import { keepResult } from './inputs.ts'
import { fileStem, saveFile, shortTitle } from './library.ts'

/** Saves an embedding to the user's downloads, its recipe inside. */
export async function saveEmbedding(embedding: EmbeddingResult): Promise<void> {
  try {
    const name = `${fileStem(embedding)}.safetensors`
    saveFile(await fetchBlob(embeddingUrl(embedding.id)), name)
    tell('success', 'Embedding saved', name)
  } catch (error) {
    tellFailure('The embedding could not be saved', error)
  }
}

/** Fills the form for a picture of an embedding, and of nothing else. */
export async function drawEmbedding(embedding: EmbeddingResult): Promise<void> {
  const media = await keepResult(embedding)
  if (!media) return
  const next = withPipeline(draftStore.getState(), 'prior-to-image', studioStore.getState().models)
  const mix = [{ kind: 'embedding' as const, media, weight: 1 }]
  replaceDraft({ ...next, prompt: '', negativePrompt: '', promptWeight: 1, mix, image: null })
  goTo('generate')
  const what = `The prompt is empty, and “${shortTitle(embedding.title)}” is all that is drawn.`
  tell('success', 'Ready to be drawn', what, { label: 'Undo', perform: undoDraft })
}

/** How alike another embedding is: the cosine, or null where the two have different widths. */
export type Likeness = { readonly other: EmbeddingResult; readonly cosine: number | null }

/** More are not compared at once. */
const most = 199

/** The other embeddings among these results, the most alike first. A failure is told, and there are none. */
export async function compareEmbeddings(
  embedding: EmbeddingResult,
  results: readonly Result[],
): Promise<readonly Likeness[]> {
  const others = results.filter(isEmbedding).filter(({ id }) => id !== embedding.id).slice(0, most) // prettier-ignore
  if (others.length === 0) return []
  try {
    const [own = []] = await callHost((host) =>
      host.compareEmbeddings({ ids: [embedding, ...others].map(({ id }) => id) }),
    )
    return others
      .map((other, i) => ({ other, cosine: own[i + 1] ?? null }))
      .sort((a, b) => (b.cosine ?? -2) - (a.cosine ?? -2))
  } catch (error) {
    tellFailure('The embeddings could not be compared', error)
    return []
  }
}
