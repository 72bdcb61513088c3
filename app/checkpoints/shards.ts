import { join } from 'node:path'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { quoted } from './file.ts'
import { readJson } from './json.ts'
import { openWeightsFile } from './open.ts'
import type { Weight, Weights } from './weights.ts'

const indexSchema = z.object({
  metadata: z.record(z.string(), z.unknown()).optional(),
  weight_map: z.record(z.string(), z.string()),
})

/**
 * Opens the shards that an index names. Every key of its weight_map must be in the shard that it names, and no shard
 * may hold another.
 * Throws `bad-model` naming the index, the key and the shard.
 */
export async function openShards(folder: string, indexName: string): Promise<{ weights: Weights; names: string[] }> {
  const index = join(folder, indexName)
  const refuse = (reason: string): never => {
    throw new ProblemError('bad-model', `${index}: ${reason}.`, { file: index })
  }
  const parsed = indexSchema.safeParse(await readJson(index))
  if (!parsed.success) return refuse(`it is no index of shards (${z.prettifyError(parsed.error).slice(0, 300)})`)
  const map = new Map(Object.entries(parsed.data.weight_map))
  const shards = [...new Set(map.values())].sort()
  if (shards.length === 0) return refuse('its weight_map is empty')

  const weights = new Map<string, Weight>()
  for (const shard of shards) {
    if (!isPlainName(shard))
      return refuse(`it names the shard ${quoted(shard)}, which is not a plain file name inside its folder`)
    const opened = await openWeightsFile(join(folder, shard)).catch((error: unknown) => {
      if (error instanceof ProblemError && error.problem.code === 'not-found')
        return refuse(`it names the shard ${quoted(shard)}, which is not there. Download the whole folder`)
      throw error
    })
    for (const [key, weight] of opened.weights) {
      const expected = map.get(key)
      if (expected !== shard)
        return refuse(
          `shard ${quoted(shard)} holds ${quoted(key)}, which weight_map ${
            expected === undefined ? 'does not have' : `puts into ${quoted(expected)}`
          }`,
        )
      weights.set(key, weight)
    }
  }
  for (const [key, shard] of map)
    if (!weights.has(key)) return refuse(`weight_map puts ${quoted(key)} into ${quoted(shard)}, which does not hold it`)
  return { weights, names: shards }
}

/** A file name of one folder on every system: no separator, drive, stream, control character, or step upwards. */
function isPlainName(name: string): boolean {
  return /^[^/\\:*?"<>|\p{Cc}]+$/u.test(name) && !name.startsWith('.') && !/[. ]$/.test(name)
}
