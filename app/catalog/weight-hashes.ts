import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { sha256File } from '#app/files/sha256.ts'
import { readJson } from '#app/checkpoints/json.ts'
import { findWeights } from '#app/checkpoints/layout.ts'
import type { LocatedModel } from '#app/contract/engine.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { kindOf } from '#app/contract/models.ts'
import type { ModelReference } from '#app/contract/recipe.ts'
import { readJsonCache, writeJsonCache } from '#app/files/json-cache.ts'
import { isFile } from '#app/checkpoints/open-model.ts'

const cacheSchema = z.record(z.string(), z.string().regex(/^[0-9a-f]{64}$/))
const indexSchema = z.object({ weight_map: z.record(z.string(), z.string()) })

/** The folders of a checkpoint that hold weights, inside its own. */
function partsOf({ kind, className }: LocatedModel): readonly string[] {
  const { folder } = kindOf(kind)
  return folder?.classNames.includes(className) ? folder.parts : ['']
}

export type WeightHashes = ReturnType<typeof createWeightHashes>

/**
 * Hashes of weight files for recipes. A file is read once and then known by its path, size and time of change; with
 * `cacheFile` also by the processes that come after.
 */
export function createWeightHashes(cacheFile?: string) {
  let known: Map<string, string> | undefined

  const hashOf = async (file: string, signal: AbortSignal): Promise<string> => {
    known ??= new Map(cacheFile === undefined ? [] : Object.entries(await readJsonCache(cacheFile, cacheSchema)))
    const { size, mtimeMs } = await stat(file)
    const key = `${file} ${size} ${mtimeMs}`
    const found = known.get(key)
    if (found !== undefined) return found
    const hash = await sha256File(file, { signal })
    known.set(key, hash)
    // a full disk must not cost the clip
    if (cacheFile !== undefined) await writeJsonCache(cacheFile, Object.fromEntries(known)).catch(() => {})
    return hash
  }

  return {
    /** The hash of one weight file, in hex. */
    hashOf,
    /**
     * The model as a recipe names it. Rejects when a weight file is not there any more, or with the signal's reason.
     */
    async referenceOf(model: LocatedModel, signal: AbortSignal): Promise<ModelReference> {
      const sha256: Record<string, string> = {}
      if (isFile(model.folder)) {
        sha256[basename(model.folder)] = await hashOf(model.folder, signal)
        return { id: model.id, name: model.name, sha256 }
      }
      for (const part of partsOf(model))
        for (const name of await weightNames(join(model.folder, part))) {
          signal.throwIfAborted()
          sha256[part ? `${part}/${name}` : name] = await hashOf(join(model.folder, part, name), signal)
        }
      return { id: model.id, name: model.name, sha256 }
    },
  }
}

/** The names of the files that openCheckpoint takes the weights from. */
async function weightNames(folder: string): Promise<string[]> {
  const found = findWeights(folder, new Set(await readdir(folder)))
  if (found.kind === 'single') return [found.name]
  const index = indexSchema.safeParse(await readJson(join(folder, found.name)))
  if (!index.success) throw new ProblemError('bad-model', `${join(folder, found.name)} is no index of shards.`)
  return [...new Set(Object.values(index.data.weight_map))].sort()
}
