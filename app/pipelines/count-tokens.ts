import type { TokenCount } from '#app/contract/prompts/token-count.ts'
import { promptAt } from '#app/contract/prompts/schedule.ts'
import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'
import { promptChunks } from '#app/tokenizers/prompt-chunks.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'

type Reading = { readonly syntax: PromptSyntax; readonly steps: number; readonly maxLength: number | null }

/** How long a text is as a run of so many steps reads it; where it changes on the way, at its longest. */
export function countTokens(tokenizer: Tokenizer, text: string, { syntax, steps, maxLength }: Reading): TokenCount {
  const special = tokenizer.frame([]).mask.filter((one) => one === 1).length
  const words = (ids: readonly number[]): string => tokenizer.frame(ids.slice(0, shown), special).truncated ?? ''
  if (syntax === 'plain') {
    const ids = tokenizer.encode(text)
    const room = (maxLength ?? tokenizer.maxLength) - special
    return { tokens: ids.length, room, begins: ids.length > room ? [words(ids.slice(room))] : [] }
  }
  // Only brackets change from step to step.
  const texts = new Set(
    Array.from({ length: text.includes('[') ? steps : 1 }, (_, step) => promptAt(text, step, steps)),
  )
  const counts = [...texts].map((one) => {
    const chunks = promptChunks(tokenizer, one)
    return {
      tokens: chunks.reduce((sum, { ids }) => sum + ids.length, 0),
      room: chunks.length * (tokenizer.maxLength - special),
      begins: chunks.slice(1).map(({ ids }) => words(ids)),
    }
  })
  return counts.reduce(longer)
}

/** Tokens of a chunk that are enough to find its beginning in the text. */
const shown = 12

/** Of two counts the one that takes more room. */
export const longer = (one: TokenCount, other: TokenCount): TokenCount =>
  other.room > one.room || (other.room === one.room && other.tokens > one.tokens) ? other : one
