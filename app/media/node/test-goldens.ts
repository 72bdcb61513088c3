import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import {
  EncodedPacketSink,
  EncodedVideoPacketSource,
  FilePathSource,
  FilePathTarget,
  Input,
  MP4,
  Mp4OutputFormat,
  Output,
} from 'mediabunny'
import type { RgbFrame } from '../frame.ts'

/**
 * The reference cases that tests of this folder read: video files, PyAV's frames at the sampled indices, the
 * preprocessed pixels.
 */
export type GoldenClip = {
  file: string
  codec: string
  frames: number
  width: number
  height: number
  fps: number
  sample: { clip_len: number; frame_sample_rate: number; indices: number[] }
  preprocess: { shortest_edge: number; center_crop: number; mean: number[]; std: number[] }
}

export const goldenPath = (file: string): string =>
  fileURLToPath(new URL(`../../../e2e/goldens/media/${file}`, import.meta.url))

export const goldenClips = JSON.parse(readFileSync(goldenPath('expected.json'), 'utf8')) as GoldenClip[]

/** PyAV's frames and transformers' pixel_values for one clip; these files hold exactly these two tensors. */
export function goldenTensors(file: string): { frames: RgbFrame[]; pixelValues: Float32Array; shape: number[] } {
  const bytes = readFileSync(goldenPath(`${file}.expected.safetensors`))
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString('utf8')) as Record<
    'frames' | 'pixel_values',
    { shape: number[]; data_offsets: [number, number] }
  >
  const body = (name: 'frames' | 'pixel_values') =>
    Uint8Array.from(bytes.subarray(8 + length).subarray(...header[name].data_offsets))
  const [count = 0, height = 0, width = 0] = header.frames.shape
  const pixels = body('frames')
  return {
    frames: Array.from({ length: count }, (_, i) => ({
      width,
      height,
      data: pixels.subarray(i * width * height * 3, (i + 1) * width * height * 3),
    })),
    pixelValues: new Float32Array(body('pixel_values').buffer),
    shape: header.pixel_values.shape,
  }
}

/** How far apart two arrays are: the mean and the largest absolute difference. */
export function difference(a: ArrayLike<number>, b: ArrayLike<number>): { mean: number; max: number } {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`)
  let [sum, max] = [0, 0]
  for (let i = 0; i < a.length; i++) {
    const d = Math.abs(a[i]! - b[i]!)
    sum += d
    max = Math.max(max, d)
  }
  return { mean: sum / a.length, max }
}

/** A copy of an MP4 file whose picture is to be shown turned clockwise, as phones write them. */
export async function writeTurned(file: string, rotation: 90 | 180 | 270, out: string): Promise<void> {
  const input = new Input({ source: new FilePathSource(file), formats: [MP4] })
  const track = (await input.getPrimaryVideoTrack())!
  const source = new EncodedVideoPacketSource((await track.getCodec())!)
  const output = new Output({ format: new Mp4OutputFormat(), target: new FilePathTarget(out) })
  output.addVideoTrack(source, { rotation })
  await output.start()
  const meta = { decoderConfig: (await track.getDecoderConfig())! }
  for await (const packet of new EncodedPacketSink(track).packets()) await source.add(packet, meta)
  await output.finalize()
  input.dispose()
}
