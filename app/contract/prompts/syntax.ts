/**
 * How prompts are read: as the words that they are, or with what A1111's prompts mean: weights, BREAK, changes from
 * step to step, and names of LoRAs and embeddings.
 */
export const promptSyntaxes = ['plain', 'a1111'] as const
export type PromptSyntax = (typeof promptSyntaxes)[number]

/** Words of one weight, or the place where a chunk ends. */
export type PromptPart = { readonly text: string; readonly weight: number } | 'BREAK'

const pieces = /\\[\\()[\]]|\(|\[|:\s*([+-]?\d*\.?\d+)\s*\)|\)|\]|\bBREAK\b|[^\\()[\]:B]+|[\s\S]/g

/**
 * `(word)` weighs 1.1 times as much, `((word))` 1.21 times, `[word]` 1 / 1.1, `(word:1.5)` 1.5 times; a backslash
 * before a bracket makes it a plain one. What is not closed counts to the end. Source: A1111's wiki, Features,
 * "Attention".
 */
export function weightedParts(prompt: string): PromptPart[] {
  const parts: ({ text: string; weight: number } | 'BREAK')[] = []
  const open: { bracket: '(' | '['; from: number }[] = []
  const weigh = (from: number, by: number): void => {
    for (const part of parts.slice(from)) if (part !== 'BREAK') part.weight *= by
  }
  const close = (bracket: '(' | '[', by: number): boolean => {
    if (open.at(-1)?.bracket !== bracket) return false
    weigh(open.pop()!.from, by)
    return true
  }
  for (const [piece, written] of prompt.matchAll(pieces)) {
    if (piece === 'BREAK') parts.push('BREAK')
    else if (piece === '(' || piece === '[') open.push({ bracket: piece, from: parts.length })
    else if (written !== undefined && close('(', Number(written))) continue
    else if (piece === ')' && close('(', 1.1)) continue
    else if (piece === ']' && close('[', 1 / 1.1)) continue
    else parts.push({ text: /^\\./.test(piece) ? piece.slice(1) : piece, weight: 1 })
  }
  for (const { bracket, from } of open.reverse()) weigh(from, bracket === '(' ? 1.1 : 1 / 1.1)
  return joined(parts)
}

/** Neighbours of one weight as one part, so that words are not cut where nothing changes. */
function joined(parts: readonly PromptPart[]): PromptPart[] {
  const result: PromptPart[] = []
  for (const part of parts) {
    const last = result.at(-1)
    if (part !== 'BREAK' && last && last !== 'BREAK' && last.weight === part.weight)
      result[result.length - 1] = { text: last.text + part.text, weight: part.weight }
    else result.push(part)
  }
  return result
}
