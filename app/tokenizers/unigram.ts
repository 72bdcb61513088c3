import type { Piece } from './sentencepiece.ts'

type Node = { next: Map<string, Node>; id: number }

/** What an unknown character costs below the worst piece: SentencePiece's kUnkPenalty. */
const unknownPenalty = 10

/**
 * The most probable segmentation of a word under a unigram model, by Viterbi (Kudo 2018, arXiv 1804.10959).
 * Neighbouring characters that no piece covers become one unknown.
 */
export function createUnigram(
  pieces: readonly Pick<Piece, 'text' | 'score'>[],
  unknownId: number,
): (word: string) => number[] {
  const root: Node = { next: new Map(), id: -1 }
  pieces.forEach((piece, id) => {
    let node = root
    for (const character of piece.text) {
      const next = node.next.get(character) ?? { next: new Map<string, Node>(), id: -1 }
      node.next.set(character, next)
      node = next
    }
    node.id = id
  })
  const unknownScore = pieces.reduce((min, piece) => Math.min(min, piece.score), Infinity) - unknownPenalty

  return (word) => {
    const characters = Array.from(word)
    const best = characters.map(() => ({ score: -Infinity, from: -1, id: unknownId }))
    const offer = (end: number, score: number, from: number, id: number) => {
      const known = best[end - 1]
      if (known && score > known.score) best[end - 1] = { score, from, id }
    }
    for (let start = 0; start < characters.length; start++) {
      const base = start === 0 ? 0 : (best[start - 1]?.score ?? -Infinity)
      let node: Node | undefined = root
      let single = false
      for (let end = start; end < characters.length; end++) {
        node = node.next.get(characters[end] ?? '')
        if (!node) break
        if (node.id < 0) continue
        offer(end + 1, base + (pieces[node.id]?.score ?? 0), start, node.id)
        if (end === start) single = true
      }
      if (!single) offer(start + 1, base + unknownScore, start, unknownId)
    }
    const ids: number[] = []
    for (let end = characters.length; end > 0;) {
      const step = best[end - 1]
      if (!step) break
      if (!(step.id === unknownId && ids.at(-1) === unknownId)) ids.push(step.id)
      end = step.from
    }
    return ids.reverse()
  }
}
