import { cosine } from '#app/pipelines/mix.ts'
import { readEmbedding } from '#app/pipelines/node/embedding-file.ts'
import type { Handler } from '../call.ts'

/** How alike embeddings are. Throws bad-media naming a file that is none. */
export const compareEmbeddings = (async ({ files }, { checkCancelled }) => {
  const all: Float32Array[] = []
  for (const { file, name } of files) {
    checkCancelled()
    all.push((await readEmbedding(file, name)).imageEmbeds.data)
  }
  return { cosines: all.map((a) => all.map((b) => (a.length === b.length ? cosine(a, b) : null))) }
}) satisfies Handler<'compareEmbeddings'>
