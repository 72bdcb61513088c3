import { ascii, fromAscii, joined } from './bytes.ts'
import { recipeKey } from './recipe-text.ts'

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

type Chunk = { readonly type: string; readonly begin: number; readonly end: number; readonly body: Uint8Array }

/**
 * The file with the recipe as an iTXt chunk with the keyword `frameloom` right after IHDR, in place of one that is
 * there.
 */
export function putPngRecipe(png: Uint8Array, recipe: string): Uint8Array {
  const chunks = [...pngChunks(png)]
  if (chunks[0]?.type !== 'IHDR') throw new Error('not a PNG file: it does not begin with IHDR')
  const kept = chunks.filter((chunk) => recipeOf(chunk) === undefined).map(({ begin, end }) => png.subarray(begin, end))
  // keyword, NUL, not compressed, method 0, no language, no translated keyword, text (PNG 1.2 section 4.2.3.3)
  const head = new TextEncoder().encode(`${recipeKey}\0\0\0\0\0`)
  const text = new TextEncoder().encode(recipe)
  return joined([Uint8Array.from(signature), kept[0]!, pngChunk('iTXt', joined([head, text])), ...kept.slice(1)])
}

/** The recipe of a PNG file, or undefined; never throws, whatever the bytes are. */
export function getPngRecipe(png: Uint8Array): string | undefined {
  for (const chunk of pngChunks(png)) {
    const recipe = recipeOf(chunk)
    if (recipe !== undefined) return recipe
  }
  return undefined
}

function recipeOf({ type, body }: Chunk): string | undefined {
  if (type !== 'iTXt') return undefined
  const start = recipeKey.length
  if (ascii(body, 0, start + 1) !== `${recipeKey}\0`) return undefined
  if (body[start + 1] !== 0) return undefined // compressed: never by us
  const language = body.indexOf(0, start + 3)
  const translated = language < 0 ? -1 : body.indexOf(0, language + 1)
  return translated < 0 ? undefined : new TextDecoder('utf-8').decode(body.subarray(translated + 1))
}

// Ends silently where the bytes stop being whole chunks.
export function* pngChunks(png: Uint8Array): Generator<Chunk> {
  if (signature.some((byte, i) => png[i] !== byte)) return
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  for (let begin = 8; begin + 12 <= png.length;) {
    const length = view.getUint32(begin)
    const end = begin + 12 + length
    if (end > png.length) return
    const type = ascii(png, begin + 4, 4)
    yield { type, begin, end, body: png.subarray(begin + 8, begin + 8 + length) }
    begin = end
  }
}

function pngChunk(type: string, body: Uint8Array): Uint8Array {
  const out = new Uint8Array(body.length + 12)
  const view = new DataView(out.buffer)
  view.setUint32(0, body.length)
  out.set(fromAscii(type), 4)
  out.set(body, 8)
  view.setUint32(out.length - 4, crc32(out.subarray(4, out.length - 4)))
  return out
}

const crcTable = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1
  return c
})

function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff
  for (const byte of bytes) crc = crcTable[(crc ^ byte) & 255]! ^ (crc >>> 8)
  return (crc ^ 0xffffffff) >>> 0
}
