import { joined } from './bytes.ts'
import { frameDurations } from './timing.ts'
import { extendedHeader, setUint24, stillSize, webpChunk, webpChunks, webpFile, webpFlags } from './webp-container.ts'

/**
 * An endless animated WebP from still WebP files of one size, each a full frame. libwebp's own animation encoder drops
 * frames that equal the one before; here the frame count stays what it was.
 * Source: RFC 9649 sections 2.7.1.1 and 2.7.1.2.
 */
export function webpAnimation(stills: readonly Uint8Array[], fps: number): Uint8Array<ArrayBuffer> {
  const durations = frameDurations(stills.length, fps, 1000)
  let canvas: { width: number; height: number } | undefined
  const frames = stills.map((still, i) => {
    const picture = webpChunks(still).find((chunk) => stillSize(chunk))
    const size = picture && stillSize(picture)
    if (!picture || !size || size.alpha) throw new Error(`frame ${i} is not an opaque still WebP file`)
    canvas ??= size
    if (size.width !== canvas.width || size.height !== canvas.height)
      throw new Error(`frame ${i} is ${size.width}x${size.height}, the first is ${canvas.width}x${canvas.height}`)
    const head = new Uint8Array(16)
    setUint24(head, 6, size.width - 1)
    setUint24(head, 9, size.height - 1)
    setUint24(head, 12, durations[i]!)
    head[15] = 0b10 // do not blend with what was there, do not clear after
    return { tag: 'ANMF', body: joined([head, webpChunk(picture.tag, picture.body)]) }
  })
  if (!canvas) throw new Error('an animation needs at least one frame')
  const background = { tag: 'ANIM', body: Uint8Array.of(0, 0, 0, 255, 0, 0) } // opaque black, endless
  return webpFile([extendedHeader(canvas.width, canvas.height, webpFlags.animation), background, ...frames])
}
