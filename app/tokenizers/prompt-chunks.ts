import { weightedParts } from '#app/contract/prompts/syntax.ts'
import { withoutLoras } from '#app/contract/prompts/names.ts'
import type { Tokenizer } from './tokenizer.ts'

/** What a text encoder reads at once: ids without special tokens around them, and how much each counts. */
export type PromptChunk = { readonly ids: readonly number[]; readonly weights: readonly number[] }

/**
 * A prompt of any length with weights, as chunks of as many ids as the encoder takes: 75 of CLIP's. BREAK ends a chunk.
 * There is always one. Source: A1111's wiki, Features, "Infinite prompt length".
 */
export function promptChunks(tokenizer: Tokenizer, prompt: string): PromptChunk[] {
  const room = tokenizer.maxLength - 2
  const chunks: { ids: number[]; weights: number[] }[] = [{ ids: [], weights: [] }]
  for (const part of weightedParts(withoutLoras(prompt))) {
    if (part === 'BREAK') {
      if (chunks.at(-1)!.ids.length > 0) chunks.push({ ids: [], weights: [] })
      continue
    }
    for (const id of tokenizer.encode(part.text)) {
      if (chunks.at(-1)!.ids.length === room) chunks.push({ ids: [], weights: [] })
      chunks.at(-1)!.ids.push(id)
      chunks.at(-1)!.weights.push(part.weight)
    }
  }
  if (chunks.length > 1 && chunks.at(-1)!.ids.length === 0) chunks.pop()
  return chunks
}
