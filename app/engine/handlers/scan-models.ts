import type { LocatedModel } from '#app/contract/engine.ts'
import type { Handler } from '../call.ts'
import { describe } from '#app/catalog/scan/describe.ts'
import { findFolders } from '#app/catalog/scan/find-folders.ts'
import { demos, modelId, modelName } from '#app/catalog/scan/identify-model.ts'
import { withTokenizers } from '#app/catalog/scan/tokenizers.ts'

/**
 * The checkpoints below the given folders, bundled ones first, each once. Those that cannot be used carry their
 * problem.
 */
export const scanModels = (async ({ roots }, { checkCancelled }) => {
  const models: LocatedModel[] = []
  const seen = new Set<string>()
  const ids = new Set<string>()
  const vocabularies = new Map<string, number>()
  const bundledFirst = roots.toSorted((a, b) => Number(a.source === 'folder') - Number(b.source === 'folder'))
  for (const { folder: root, source } of bundledFirst)
    for await (const found of findFolders(root, seen)) {
      checkCancelled()
      const described = await describe(found)
      if (!described) continue
      const { vocabularySize, ...entry } = described
      const demo = source === 'bundled'
      const name = modelName(found)
      models.push({
        id: modelId(found, source, ids),
        name,
        ...entry,
        ...(demo ? demos[name] : {}),
        demo,
        source,
        location: demo ? `bundled: ${name}` : found.folder,
        folder: found.folder,
      })
      if (vocabularySize !== undefined) vocabularies.set(found.folder, vocabularySize)
    }
  return { models: await withTokenizers(models, vocabularies) }
}) satisfies Handler<'scanModels'>
