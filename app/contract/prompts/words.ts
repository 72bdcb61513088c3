const isLetter = /[\p{L}\p{N}_]/u

/** A regular expression's source (for the flag u) that finds a word or sign where it is no part of a longer word. */
export function wordPattern(word: string): string {
  const escaped = word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  const before = isLetter.test(word[0] ?? '') ? '(?<![\\p{L}\\p{N}_])' : ''
  const after = isLetter.test(word.at(-1) ?? '') ? '(?![\\p{L}\\p{N}_])' : ''
  return before + escaped + after
}
