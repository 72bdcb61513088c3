import { ascii, fromAscii, joined } from './bytes.ts'
import { fromComment, toComment } from './recipe-text.ts'

type Block = { readonly begin: number; readonly end: number; readonly comment?: Uint8Array }

/**
 * The file with the recipe as a comment extension right after the global colour table: PIL sees comments there only.
 * One of ours that is there is replaced; others stay.
 */
export function putGifRecipe(gif: Uint8Array, recipe: string): Uint8Array {
  const start = blocksBegin(gif)
  if (start === undefined) throw new Error('not a GIF file: it ends before its first block')
  const text = new TextEncoder().encode(toComment(recipe))
  const parts: Uint8Array[] = [fromAscii('GIF89a'), gif.subarray(6, start), Uint8Array.of(0x21, 0xfe)]
  for (let at = 0; at < text.length; at += 255) {
    const piece = text.subarray(at, at + 255)
    parts.push(Uint8Array.of(piece.length), piece)
  }
  parts.push(Uint8Array.of(0))
  let kept = start
  for (const block of gifBlocks(gif, start)) {
    if (!block.comment || fromComment(decode(block.comment)) === undefined) continue
    parts.push(gif.subarray(kept, block.begin))
    kept = block.end
  }
  return joined([...parts, gif.subarray(kept)])
}

/** The recipe of a GIF file, or undefined; never throws, whatever the bytes are. */
export const getGifRecipe = (gif: Uint8Array): string | undefined =>
  gifComments(gif)
    .map(fromComment)
    .find((recipe) => recipe !== undefined)

/** The comments of a GIF file in their order; none of what is no GIF. Never throws. */
export function gifComments(gif: Uint8Array): string[] {
  const start = blocksBegin(gif)
  if (start === undefined) return []
  return [...gifBlocks(gif, start)].flatMap(({ comment }) => (comment ? [decode(comment)] : []))
}

const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8').decode(bytes)

/**
 * After the header, the screen descriptor and the global colour table; undefined when the file is no GIF or too short.
 */
function blocksBegin(gif: Uint8Array): number | undefined {
  if (!/^GIF8[79]a$/.test(ascii(gif, 0, 6)) || gif.length < 13) return undefined
  const start = 13 + tableBytes(gif[10]!)
  return start <= gif.length ? start : undefined
}

const tableBytes = (flags: number): number => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0)

// Ends at the trailer, or silently where the bytes stop being whole blocks (GIF89a sections 20 to 27).
function* gifBlocks(gif: Uint8Array, start: number): Generator<Block> {
  for (let begin = start; begin + 1 < gif.length;) {
    let at: number
    const comment = gif[begin] === 0x21 && gif[begin + 1] === 0xfe
    if (gif[begin] === 0x21) at = begin + 2
    else if (gif[begin] === 0x2c && begin + 10 < gif.length) at = begin + 11 + tableBytes(gif[begin + 9]!)
    else return
    const pieces: Uint8Array[] = []
    for (let length = gif[at]; length !== 0; length = gif[at]) {
      if (length === undefined || at + 1 + length >= gif.length) return
      if (comment) pieces.push(gif.subarray(at + 1, at + 1 + length))
      at += 1 + length
    }
    yield { begin, end: at + 1, ...(comment && { comment: joined(pieces) }) }
    begin = at + 1
  }
}
