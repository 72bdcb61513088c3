import { ascii } from './bytes.ts'
import { mediaKind } from './media-kind.ts'
import { gifComments } from './recipe-gif.ts'
import { pngChunks } from './recipe-png.ts'
import { maxRecipeBytes } from './recipe-text.ts'
import { webpChunks } from './webp-container.ts'

/**
 * Texts that a file carries, by their keyword; `UserComment`, `Make` and such are those of EXIF, `comment` is that of a
 * GIF or a video.
 */
export type FileTexts = ReadonlyMap<string, string>

const most = 4 * maxRecipeBytes
const latin1 = new TextDecoder('latin1')
const utf8 = new TextDecoder('utf-8')

/** The texts of a PNG (PNG 1.2 section 4.2.3), of the EXIF in a PNG, WebP or JPEG, a GIF's comment. Never throws. */
export function fileTexts(bytes: Uint8Array): FileTexts {
  const texts = new Map<string, string>()
  try {
    const kind = mediaKind(bytes)
    if (kind === 'png')
      for (const { type, body } of pngChunks(bytes)) {
        if (type === 'eXIf') readExif(body, texts)
        else if (type === 'tEXt' || type === 'iTXt') readPngText(type, body, texts)
      }
    if (kind === 'webp') for (const { tag, body } of webpChunks(bytes)) if (tag === 'EXIF') readExif(body, texts)
    if (kind === 'jpeg') readJpeg(bytes, texts)
    if (kind === 'gif') for (const comment of gifComments(bytes)) texts.set('comment', comment)
  } catch {
    // A file that is damaged has the texts that were read until there.
  }
  return texts
}

function readPngText(type: string, body: Uint8Array, texts: Map<string, string>): void {
  const end = body.indexOf(0)
  if (end < 1) return
  const key = latin1.decode(body.subarray(0, end))
  if (type === 'tEXt') texts.set(key, textOf(body.subarray(end + 1)))
  else {
    // Compressed text is left: none of those programs writes it.
    if (body[end + 1] !== 0) return
    const language = body.indexOf(0, end + 3)
    const translated = language < 0 ? -1 : body.indexOf(0, language + 1)
    if (translated < 0) return
    texts.set(key, utf8.decode(body.subarray(translated + 1)))
  }
}

/** Latin-1 by the standard, UTF-8 by many programs. */
function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return latin1.decode(bytes)
  }
}

function readJpeg(bytes: Uint8Array, texts: Map<string, string>): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff;) {
    const [marker, length] = [bytes[at + 1], view.getUint16(at + 2)]
    if (marker === 0xda || length < 2) return
    if (marker === 0xe1) readExif(bytes.subarray(at + 4, at + 2 + length), texts)
    at += 2 + length
  }
}

/** EXIF 2.32 tags that programs write recipes into. */
const tags: Readonly<Record<number, string>> = {
  0x010e: 'ImageDescription',
  0x010f: 'Make',
  0x0110: 'Model',
  0x9286: 'UserComment',
}
const exifFolder = 0x8769

function readExif(body: Uint8Array, texts: Map<string, string>): void {
  const tiff = ascii(body, 0, 6) === 'Exif\0\0' ? body.subarray(6) : body
  const view = new DataView(tiff.buffer, tiff.byteOffset, tiff.byteLength)
  const little = ascii(tiff, 0, 2) === 'II'
  const readFolder = (at: number, isNested: boolean): void => {
    for (let i = 0, count = view.getUint16(at, little); i < count; i++) {
      const entry = at + 2 + i * 12
      const tag = view.getUint16(entry, little)
      const length = view.getUint32(entry + 4, little)
      if (tag === exifFolder && !isNested) readFolder(view.getUint32(entry + 8, little), true)
      const name = tags[tag]
      if (!name || length > most) continue
      const from = length <= 4 ? entry + 8 : view.getUint32(entry + 8, little)
      const value = tiff.subarray(from, from + length)
      texts.set(name, (tag === 0x9286 ? comment(value) : textOf(value)).replace(/\0+$/, ''))
    }
  }
  readFolder(view.getUint32(4, little), false)
}

/** A user comment begins with the name of its encoding in eight bytes. UTF-16 has either order, whatever the file's. */
function comment(value: Uint8Array): string {
  const text = value.subarray(8)
  if (ascii(value, 0, 7) !== 'UNICODE') return textOf(text)
  return new TextDecoder(text[0] === 0 ? 'utf-16be' : 'utf-16le').decode(text)
}
