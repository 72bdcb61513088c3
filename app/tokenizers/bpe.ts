import { ProblemError } from '#app/contract/errors.ts'

export type Bpe = {
  readonly size: number
  idOf(token: string): number | undefined
  tokenOf(id: number): string | undefined
  /** The ids of one word, given as its smallest symbols; a symbol that the vocabulary lacks becomes `unknown`. */
  merge(symbols: readonly string[], unknown: number): number[]
}

const maxId = 0xffffff

const refuse = (file: string, message: string, cause?: unknown): ProblemError =>
  new ProblemError('bad-model', `${file}: ${message}`, { file, ...(cause === undefined ? {} : { cause }) })

function parseVocab(text: string): Map<string, number> {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw refuse('vocab.json', `is not JSON: ${(cause as Error).message}`, cause)
  }
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw refuse('vocab.json', 'is not an object of token to id.')
  const vocab = new Map<string, number>()
  for (const [token, id] of Object.entries(json as Record<string, unknown>)) {
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 0 || id > maxId)
      throw refuse('vocab.json', `the id of ${JSON.stringify(token)} is not a whole number.`)
    vocab.set(token, id)
  }
  return vocab
}

/** The last few, by the texts they were made of: making one of CLIP's takes longer than all else of opening a model. */
const kept: { readonly vocab: string; readonly merges: string; readonly bpe: Bpe }[] = []

/** `createBpe`, which is not done again for texts that are still known from before. */
export function bpeOf(vocab: string, merges: string): Bpe {
  const known = kept.find((one) => one.vocab === vocab && one.merges === merges)
  if (known) return known.bpe
  const bpe = createBpe(vocab, merges)
  kept.unshift({ vocab, merges, bpe })
  kept.length = Math.min(kept.length, 3)
  return bpe
}

/**
 * Byte-pair encoding (Sennrich et al. 2016, arXiv 1508.07909) from the text of vocab.json and merges.txt. Throws
 * bad-model when either is malformed or a merge makes a token without an id.
 */
function createBpe(vocabText: string, mergesText: string): Bpe {
  const vocab = parseVocab(vocabText)
  const tokens = new Map([...vocab].map(([token, id]) => [id, token]))
  if (tokens.size !== vocab.size) throw refuse('vocab.json', 'two tokens have the same id.')

  const stride = maxId + 1
  const merges = new Map<number, { rank: number; id: number }>()
  const lines = mergesText.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  lines.forEach((line, index) => {
    if (line.startsWith('#version')) return
    const [left = '', right, ...rest] = line.split(' ')
    if (right === undefined || rest.length > 0)
      throw refuse(
        'merges.txt',
        `line ${index + 1} is not two tokens with a space between: ${JSON.stringify(line.slice(0, 80))}`,
      )
    const ids = [left, right, left + right].map((token) => {
      const id = vocab.get(token)
      if (id === undefined)
        throw refuse(
          'merges.txt',
          `line ${index + 1} needs the token ${JSON.stringify(token)}, which vocab.json lacks.`,
        )
      return id
    })
    const [a = 0, b = 0, id = 0] = ids
    merges.set(a * stride + b, { rank: index, id })
  })

  /** Merges the pairs of lowest rank from the left, until a merge makes way for a lower one. */
  function mergeOnce(ids: readonly number[]): number[] | undefined {
    const pairAt = (left: number | undefined, right: number | undefined) =>
      left === undefined || right === undefined || left < 0 || right < 0 ? undefined : merges.get(left * stride + right)
    let best = Infinity
    for (let i = 0; i + 1 < ids.length; i++) best = Math.min(best, pairAt(ids[i], ids[i + 1])?.rank ?? Infinity)
    if (best === Infinity) return undefined
    const result: number[] = []
    let i = 0
    let overtaken = false
    while (i < ids.length && !overtaken) {
      const pair = pairAt(ids[i], ids[i + 1])
      if (pair?.rank !== best) {
        result.push(ids[i++] ?? -1)
        continue
      }
      i += 2
      const before = pairAt(result.at(-1), pair.id)?.rank ?? Infinity
      const after = pairAt(pair.id, ids[i])?.rank ?? Infinity
      result.push(pair.id)
      overtaken = Math.min(before, after) < best
    }
    while (i < ids.length) result.push(ids[i++] ?? -1)
    return result
  }

  return {
    size: vocab.size,
    idOf: (token) => vocab.get(token),
    tokenOf: (id) => tokens.get(id),
    merge(symbols, unknown) {
      let ids = symbols.map((symbol) => vocab.get(symbol) ?? -1)
      for (let next = mergeOnce(ids); next; next = mergeOnce(ids)) ids = next
      return ids.map((id) => (id < 0 ? unknown : id))
    },
  }
}
