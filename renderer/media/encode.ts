import {
  BufferTarget,
  canEncodeVideo,
  Mp4OutputFormat,
  Output,
  Quality as VideoQuality,
  VideoSample,
  VideoSampleSource,
  WebMOutputFormat,
} from 'mediabunny'
import { ProblemError } from '#app/contract/errors.ts'
import { rgbToI420 } from '#app/media/color.ts'
import { paddedToEven, type RgbFrame } from '#app/media/frame.ts'
import type { Quality } from '#app/media/quality.ts'
import { checkRecipe, toComment } from '#app/media/recipe-text.ts'

export type EncodeVideoOptions = { readonly quality?: Quality; readonly signal?: AbortSignal | undefined }

/**
 * Quantizers of both codecs, and what is asked for where the browser's encoder knows bit rates only: bits a pixel, bits
 * a second at least.
 */
const settings: Record<Quality, { avc: number; vp9: number; bitsPerPixel: number; atLeast: number }> = {
  best: { avc: 8, vp9: 4, bitsPerPixel: 1, atLeast: 8e6 },
  high: { avc: 16, vp9: 16, bitsPerPixel: 0.3, atLeast: 3e6 },
  small: { avc: 28, vp9: 40, bitsPerPixel: 0.08, atLeast: 4e5 },
}
const bt709 = { matrix: 'bt709', primaries: 'bt709', transfer: 'bt709', fullRange: false } as const

/**
 * H.264 in MP4 or VP9 in WebM by the browser's encoders: 4:2:0, converted by us and tagged BT.709, the recipe as the
 * comment tag. Odd sizes repeat the last column or row. Throws `unsupported` where the browser has no such encoder,
 * `bad-input`, `cancelled`.
 */
export async function encodeVideo(
  frames: readonly RgbFrame[],
  fps: number,
  format: 'mp4' | 'webm',
  recipe: string,
  { quality = 'high', signal }: EncodeVideoOptions = {},
): Promise<Blob> {
  checkRecipe(recipe)
  const first = frames[0]
  if (!first) throw new ProblemError('bad-input', 'the clip has no frames')
  const { width, height } = paddedToEven(first)
  const codec = format === 'mp4' ? 'avc' : 'vp9'
  const { bitsPerPixel, atLeast, ...quantizers } = settings[quality]
  const bitrate = Math.round(Math.max(atLeast, width * height * fps * bitsPerPixel))
  const wanted = new VideoQuality({ quantizer: quantizers[codec], bitrate })
  if (!(await canEncodeVideo(codec, { width, height, quality: wanted })))
    throw new ProblemError(
      'unsupported',
      `this browser cannot write ${codec === 'avc' ? 'H.264' : 'VP9'} of ${width}x${height}: export another format`,
    )
  const output = new Output({
    format: format === 'mp4' ? new Mp4OutputFormat({ fastStart: 'in-memory' }) : new WebMOutputFormat(),
    target: new BufferTarget(),
  })
  // Chromium's software H.264 loses 3 to 5 dB of colour from frame to frame; clips are short, so each frame is a key
  // frame.
  const keyFrameInterval = codec === 'avc' && quality !== 'small' ? 0 : 2
  const source = new VideoSampleSource({ codec, quality: wanted, keyFrameInterval })
  output.addVideoTrack(source, { frameRate: fps })
  output.setMetadataTags({ comment: toComment(recipe) })
  try {
    await output.start()
    for (const [i, frame] of frames.entries()) {
      if (signal?.aborted) throw new ProblemError('cancelled', 'cancelled')
      const sample = new VideoSample(rgbToI420(paddedToEven(frame)), {
        format: 'I420',
        codedWidth: width,
        codedHeight: height,
        timestamp: i / fps,
        duration: 1 / fps,
        colorSpace: bt709,
      })
      await source.add(sample)
      sample.close()
    }
    await output.finalize()
  } catch (error) {
    await output.cancel().catch(() => {})
    throw error
  }
  return new Blob([output.target.buffer!], { type: format === 'mp4' ? 'video/mp4' : 'video/webm' })
}
