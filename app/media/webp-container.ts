import { ascii, fromAscii, joined } from './bytes.ts'

/** One RIFF chunk of a WebP file; `body` is a view into the file. */
export type WebpChunk = { readonly tag: string; readonly body: Uint8Array }

/** The chunks of a WebP file, [] when it is none; ends silently where the bytes stop being whole chunks. */
export function webpChunks(webp: Uint8Array): WebpChunk[] {
  const chunks: WebpChunk[] = []
  if (ascii(webp, 0, 4) !== 'RIFF' || ascii(webp, 8, 4) !== 'WEBP') return chunks
  const view = new DataView(webp.buffer, webp.byteOffset, webp.byteLength)
  for (let at = 12; at + 8 <= webp.length;) {
    const length = view.getUint32(at + 4, true)
    if (at + 8 + length > webp.length) break
    chunks.push({ tag: ascii(webp, at, 4), body: webp.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length % 2)
  }
  return chunks
}

/** A WebP file of these chunks, in the order given. */
export function webpFile(chunks: readonly WebpChunk[]): Uint8Array<ArrayBuffer> {
  const body = joined([fromAscii('WEBP'), ...chunks.map(({ tag, body }) => webpChunk(tag, body))])
  return webpChunk('RIFF', body)
}

export function webpChunk(tag: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(8 + body.length + (body.length % 2))
  out.set(fromAscii(tag))
  new DataView(out.buffer).setUint32(4, body.length, true)
  out.set(body, 8)
  return out
}

export const webpFlags = { animation: 0x02, xmp: 0x04, alpha: 0x10 } as const

/** The VP8X chunk that a file with animation or metadata begins with. Sizes are the canvas's, in pixels. */
export function extendedHeader(width: number, height: number, flags: number): WebpChunk {
  const body = new Uint8Array(10)
  body[0] = flags
  setUint24(body, 4, width - 1)
  setUint24(body, 7, height - 1)
  return { tag: 'VP8X', body }
}

/**
 * The size of a still picture from the header of its VP8 or VP8L chunk (RFC 9649 sections 2.5 and 2.6); undefined for
 * other chunks.
 */
export function stillSize({ tag, body }: WebpChunk): { width: number; height: number; alpha: boolean } | undefined {
  const byte = (at: number) => body[at] ?? 0
  if (tag === 'VP8 ' && body.length >= 10)
    return { width: byte(6) | ((byte(7) & 0x3f) << 8), height: byte(8) | ((byte(9) & 0x3f) << 8), alpha: false }
  if (tag !== 'VP8L' || body.length < 5 || byte(0) !== 0x2f) return undefined
  const bits = (byte(1) | (byte(2) << 8) | (byte(3) << 16) | (byte(4) << 24)) >>> 0
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1, alpha: ((bits >>> 28) & 1) === 1 }
}

export function setUint24(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value & 255
  bytes[at + 1] = (value >> 8) & 255
  bytes[at + 2] = (value >> 16) & 255
}
