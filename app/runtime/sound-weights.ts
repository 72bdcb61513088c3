import { readWeight } from '#app/checkpoints/read.ts'
import type { Weight } from '#app/checkpoints/weights.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Graph } from '#app/graph/index.ts'
import { isSound, mayBeUnsound, unsound } from '#app/tensor/finite.ts'
import { bytesPerElement, sizeOf } from '#app/tensor/tensor.ts'

/** Numbers that are read at a time: a table of a large vocabulary has 40 million. */
const atOnce = 2 ** 22

/** The weights that a graph reads, each once, in the order in which its model was built. */
export const weightsOf = ({ known }: Graph): Weight[] => [
  ...new Set([...known.values()].flatMap((each) => ('weight' in each ? [each.weight] : []))),
]

/** Reads weights to the first that holds what nothing can be computed with. Throws not-finite naming file and key. */
export async function requireSound(weights: Iterable<Weight>): Promise<void> {
  for (const weight of weights)
    if (mayBeUnsound(weight.dtype))
      for (const piece of piecesOf(weight)) if (!isSound(await readWeight(piece))) throw damaged(weight)
}

export function damaged({ name, source }: Weight): ProblemError {
  const file = 'file' in source ? source.file : undefined
  const key = name.replace(/\[\d+:\d+\] [\dx]+$/, '') // of rows of it, as weight-views.ts calls them
  return new ProblemError(
    'not-finite',
    `the tensor ${key}${file === undefined ? '' : ` of ${file}`} holds ${unsound}. The file is damaged: download it again, or choose another one. Nothing was saved.`,
    { field: key, ...(file !== undefined && { file }) },
  )
}

function* piecesOf(weight: Weight): Generator<Weight> {
  const { dtype, shape, source } = weight
  const count = sizeOf(shape)
  if (!('file' in source) || count <= atOnce) {
    yield weight
    return
  }
  for (let from = 0; from < count; from += atOnce) {
    const numbers = Math.min(atOnce, count - from)
    const size = bytesPerElement[dtype]
    yield {
      ...weight,
      shape: [numbers],
      source: { file: source.file, offset: source.offset + from * size, length: numbers * size },
    }
  }
}
