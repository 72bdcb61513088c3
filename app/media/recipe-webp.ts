import { recipeKey } from './recipe-text.ts'
import { extendedHeader, stillSize, webpChunks, webpFile, webpFlags, type WebpChunk } from './webp-container.ts'

const namespace = 'urn:frameloom:recipe:1'

/** The file with the recipe in an XMP packet, in place of XMP that is there. A plain file becomes an extended one. */
export function putWebpRecipe(webp: Uint8Array, recipe: string): Uint8Array<ArrayBuffer> {
  const chunks = webpChunks(webp).filter(({ tag }) => tag !== 'XMP ')
  const [first, ...rest] = chunks
  const xmp: WebpChunk = { tag: 'XMP ', body: new TextEncoder().encode(toXmp(recipe)) }
  if (first?.tag === 'VP8X' && first.body.length >= 10) {
    const header = Uint8Array.from(first.body)
    header[0]! |= webpFlags.xmp
    return webpFile([{ tag: 'VP8X', body: header }, ...rest, xmp])
  }
  const size = first && stillSize(first)
  if (!size) throw new Error('not a WebP file: it begins with neither VP8X, VP8 nor VP8L')
  const flags = webpFlags.xmp | (size.alpha ? webpFlags.alpha : 0)
  return webpFile([extendedHeader(size.width, size.height, flags), ...chunks, xmp])
}

/** The recipe of a WebP file, or undefined; never throws, whatever the bytes are. */
export function getWebpRecipe(webp: Uint8Array): string | undefined {
  const xmp = webpChunks(webp).find(({ tag }) => tag === 'XMP ')
  return xmp && fromXmp(new TextDecoder('utf-8').decode(xmp.body))
}

/** An XMP packet (ISO 16684-1) whose one property is the recipe. */
function toXmp(recipe: string): string {
  return (
    '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">' +
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    `<rdf:Description rdf:about="" xmlns:${recipeKey}="${namespace}">` +
    `<${recipeKey}:recipe>${escaped(recipe)}</${recipeKey}:recipe>` +
    '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
  )
}

// Tools that rewrite XMP may turn the element into an attribute.
function fromXmp(xmp: string): string | undefined {
  return between(xmp, `<${recipeKey}:recipe>`, '<') ?? between(xmp, ` ${recipeKey}:recipe="`, '"')
}

function between(text: string, open: string, close: string): string | undefined {
  const start = text.indexOf(open)
  const end = start < 0 ? -1 : text.indexOf(close, start + open.length)
  return end < 0 ? undefined : unescaped(text.slice(start + open.length, end))
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const names = Object.fromEntries(Object.entries(entities).map(([name, character]) => [character, name]))

const escaped = (text: string): string => text.replace(/[&<>"']/g, (character) => `&${names[character]};`)

function unescaped(text: string): string {
  return text.replace(
    /&(?:#(\d{1,7})|#x([\da-fA-F]{1,6})|(\w{2,4}));/g,
    (whole: string, decimal?: string, hex?: string, name?: string) => {
      if (name) return Object.hasOwn(entities, name) ? entities[name]! : whole
      const code = decimal ? Number(decimal) : parseInt(hex ?? '', 16)
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole
    },
  )
}
