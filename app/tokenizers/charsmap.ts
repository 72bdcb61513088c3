import { ProblemError } from '#app/contract/errors.ts'

/**
 * The normalisation that a SentencePiece model carries: a double-array trie (Aoe 1989, in the layout of darts-clone)
 * from UTF-8 to offsets in a blob of replacements. Graphemes are looked up first, then their code points, and the
 * shortest matching prefix decides, as in the tokenizers library that the reference runs.
 */
export function createCharsmap(bytes: Uint8Array): (text: string) => string {
  if (bytes.length === 0) return (text) => text
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const trieBytes = bytes.length < 4 ? NaN : view.getUint32(0, true)
  if (!(trieBytes % 4 === 0 && trieBytes > 0 && trieBytes <= bytes.length - 4))
    throw new ProblemError('bad-model', 'spiece.model: its normalisation rules are damaged.', { file: 'spiece.model' })
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => view.getUint32(4 + i * 4, true))
  const blob = bytes.subarray(4 + trieBytes)
  const encoder = new TextEncoder()
  const decoder = new TextDecoder()
  const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' })

  const jump = (unit: number) => (unit >>> 10) << ((unit & 0x200) >>> 6)

  /** The replacement of the shortest prefix in the trie. */
  function replacement(key: Uint8Array): string | undefined {
    let node = jump(units[0] ?? 0)
    for (const byte of key) {
      if (byte === 0) return undefined
      node ^= byte
      const unit = units[node]
      if (unit === undefined || (unit & 0x800000ff) >>> 0 !== byte) return undefined
      node ^= jump(unit)
      if ((unit >>> 8) & 1) {
        const from = (units[node] ?? 0) & 0x7fffffff
        const to = blob.indexOf(0, from)
        return decoder.decode(blob.subarray(from, to < 0 ? blob.length : to))
      }
    }
    return undefined
  }

  return (text) => {
    let result = ''
    for (const { segment } of segmenter.segment(text)) {
      const key = encoder.encode(segment)
      const whole = key.length < 6 ? replacement(key) : undefined
      if (whole !== undefined) result += whole
      else for (const character of segment) result += replacement(encoder.encode(character)) ?? character
    }
    return result
  }
}
