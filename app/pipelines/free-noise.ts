import type { FreeNoise } from '#app/contract/long-clips.ts'
import { float32, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import type { DrawNoise } from './diffusion.ts'

/** A random order of the numbers below `length`. */
export type Shuffle = (length: number) => readonly number[]

/**
 * FreeNoise's starting noise (arXiv 2310.15169) for (1, C, F, h, w): that of the first window, come again in another
 * order (shuffle_context) or in the same (repeat_context), or new for each frame (random). Latents of all frames that
 * are `given` stay as they are; those of one window are repeated.
 *
 * Source: diffusers/src/diffusers/pipelines/free_noise_utils.py@58eb52c _prepare_latents_free_noise. There
 * repeat_context draws all frames by a slip, and repeats nothing unless it is given one window's latents.
 */
export function freeNoiseLatents(
  { contextLength, contextStride, noiseType }: FreeNoise,
  [batch, channels, numFrames, height, width]: readonly [number, number, number, number, number],
  { given, draw, shuffle }: { given: Tensor<'float32'> | undefined; draw: DrawNoise; shuffle: Shuffle },
): Tensor<'float32'> {
  const shape: Shape = [batch, channels, numFrames, height, width]
  if (given?.shape[2] === numFrames) return given
  if (noiseType === 'random' && !given) return float32(shape, draw(shape))
  if (noiseType === 'repeat_context') {
    const window = [batch, channels, contextLength, height, width]
    const { data } = given ?? float32(window, draw(window))
    return copied(data, shape, contextLength, (frame) => frame % contextLength)
  }
  if (given) throw new Error(`latents of ${given.shape[2]} frames are given for ${numFrames}, and cannot be shuffled`)
  // A frame may be a copy of one that is a copy itself.
  const source = Array.from({ length: numFrames }, (_, frame) => frame)
  for (let i = contextLength; i < numFrames; i += contextStride) {
    const begin = i - contextLength
    const order = shuffle(Math.min(contextStride, numFrames - begin))
    const from = order.slice(0, numFrames - i).map((place) => source[begin + place]!)
    from.forEach((frame, at) => (source[i + at] = frame))
  }
  return copied(draw(shape), shape, numFrames, (frame) => source[frame]!)
}

/** Frame `from(f)` of (.., `available`, h, w) at each frame f of `shape`. */
function copied(
  data: Float32Array,
  shape: Shape,
  available: number,
  from: (frame: number) => number,
): Tensor<'float32'> {
  const [batch, channels, frames, height, width] = shape as [number, number, number, number, number]
  const plane = height * width
  const out = new Float32Array(batch * channels * frames * plane)
  for (let row = 0; row < batch * channels; row++)
    for (let frame = 0; frame < frames; frame++) {
      const start = (row * available + from(frame)) * plane
      out.set(data.subarray(start, start + plane), (row * frames + frame) * plane)
    }
  return float32(shape, out)
}
