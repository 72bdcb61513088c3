import { join } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { isFile } from '#app/checkpoints/open-model.ts'
import { findTokenizer, noTokenizer } from '#app/tokenizers/node/clip-tokenizer.ts'

/**
 * Gives single-file checkpoints the tokenizer that they come without: one beside them, or that of another model whose
 * vocabulary is as large as their text encoder's (`vocabularies`, by file). Those that find none get a problem that
 * says what to put where.
 */
export async function withTokenizers(
  models: readonly LocatedModel[],
  vocabularies: ReadonlyMap<string, number>,
): Promise<LocatedModel[]> {
  const others = models
    .filter((model) => model.kind === 'stable-diffusion' && !isFile(model.folder))
    .map(({ folder }) => join(folder, 'tokenizer'))
  return Promise.all(
    models.map(async (model) => {
      const size = vocabularies.get(model.folder)
      if (size === undefined) return model
      const tokenizerFolder = await findTokenizer(model.folder, size, others)
      return tokenizerFolder === undefined
        ? { ...model, problem: noTokenizer(model.folder, size).problem }
        : { ...model, tokenizerFolder }
    }),
  )
}
