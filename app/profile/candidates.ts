import { isAddedKv, offered, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import type { AttnProcessorMap } from '#app/contract/attn-processors.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'

/** Heads of the batch at a time. Fewer save little more and take many turns. */
const sliceSizes = [1, 4, 16, 64]

const ways = (addedKv: boolean): AttnProcessor[] =>
  offered(addedKv).flatMap((one): AttnProcessor[] =>
    'slice_size' in one ? sliceSizes.map((slice_size) => ({ ...one, slice_size })) : [one],
  )

/**
 * What an attention layer may use, the provider's own operator first. `map` is the model's own, which says of what kind
 * its layers are.
 */
export function attentionCandidates(map: AttnProcessorMap): AttnProcessorMap[] {
  const [plain, addedKv] = [ways(false), ways(true)]
  return plain.map((_, i) =>
    Object.fromEntries(Object.entries(map).map(([path, one]) => [path, (isAddedKv(one) ? addedKv : plain)[i] ?? one])),
  )
}

/** More turns of a loop cost more than any memory is worth. */
const mostTurns = 256

/**
 * The chunkings that fit all feed-forward layers, whose axes 0 and 1 have these sizes: along each the largest chunk
 * that all can be cut into, and smaller ones. What leaves every layer whole, or cuts one into very many pieces, is left
 * out.
 */
export function chunkingCandidates(sizes: readonly [readonly number[], readonly number[]]): ForwardChunking[] {
  return ([0, 1] as const).flatMap((dim) => {
    if (sizes[dim].length === 0) return []
    const [largest, most] = [sizes[dim].reduce(gcd), Math.max(...sizes[dim])]
    const pieces = new Set([1, 4, 16].map((by) => (largest % by === 0 ? largest / by : largest)))
    return [...pieces]
      .filter((size) => size < most && most / size <= mostTurns)
      .map((chunkSize): ForwardChunking => ({ chunkSize, dim }))
  })
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b))
