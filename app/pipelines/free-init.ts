import { freeInitSteps, type FreeInit } from '#app/contract/free-init.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { Beginning, DiffusionParts, DiffusionStep, DrawNoise } from './diffusion.ts'
import { fourier } from './fourier.ts'

type Floats = Tensor<'float32'>

/** Denoises once: steps are counted from 0. */
type Denoise = (beginning: Beginning, firstStep: number) => AsyncGenerator<DiffusionStep, Floats>

/**
 * FreeInit (arXiv 2312.07537): the clip is denoised several times; each further round begins with the low frequencies
 * of the last result, noised again with the noise of the beginning, and the high ones of fresh noise. Ends with the
 * latents (1, C, F, h, w). Source: diffusers/src/diffusers/pipelines/free_init_utils.py@58eb52c.
 */
export async function* freeInitRounds(
  parts: Pick<DiffusionParts, 'createScheduler'>,
  freeInit: FreeInit,
  { latents: start, steps, strength = 1, draw }: { latents: Floats; steps: number; strength?: number; draw: DrawNoise },
  denoise: Denoise,
): AsyncGenerator<DiffusionStep, Floats> {
  const rounds = freeInitSteps(freeInit, steps, strength).map(({ laidOut, leftOut }) => {
    const scheduler = parts.createScheduler(laidOut)
    return { scheduler, first: leftOut * scheduler.order }
  })
  const counts = rounds.map(({ scheduler, first }) => scheduler.timesteps.length - first)
  const totalSteps = counts.reduce((sum, count) => sum + count, 0)
  let latents = start
  let done = 0
  for (const [i, { scheduler, first }] of rounds.entries()) {
    if (i > 0) {
      const noised =
        scheduler.addFullNoise?.(latents.data, start.data) ?? scheduler.addNoise(latents.data, start.data, 0)
      latents = mixed(float32(start.shape, noised), draw(start.shape), freeInit)
    }
    const round = denoise({ scheduler, first, latents }, done)
    let next = await round.next()
    for (; !next.done; next = await round.next()) {
      const event = next.value
      yield event.type === 'step' ? { ...event, step: done + event.step, totalSteps } : event
    }
    latents = next.value
    done += counts[i]!
  }
  return latents
}

/** The low frequencies of each frame's and channel's `low`, and the high ones of `high`. */
function mixed(low: Floats, high: Float32Array, freeInit: FreeInit): Floats {
  const [batch, channels, ...sizes] = low.shape as [number, number, number, number, number]
  const filter = lowPass(sizes, freeInit)
  const volume = filter.length
  const out = high.slice()
  for (let start = 0; start < batch * channels * volume; start += volume) {
    // high + lowPass(low - high): one transform there and one back.
    const re = Float64Array.from(filter, (_, i) => low.data[start + i]! - high[start + i]!)
    const im = new Float64Array(volume)
    fourier(re, im, sizes, 1)
    filter.forEach((pass, i) => {
      re[i]! *= pass
      im[i]! *= pass
    })
    fourier(re, im, sizes, -1)
    for (let i = 0; i < volume; i++) out[start + i]! += re[i]! / volume
  }
  return float32(low.shape, out)
}

/** How much of each frequency is low, over (F, h, w) with frequency 0 first. */
function lowPass(
  [frames, height, width]: readonly [number, number, number],
  { method, order, spatialStopFrequency: spatial, temporalStopFrequency: temporal }: FreeInit,
): Float64Array {
  const out = new Float64Array(frames * height * width)
  if (spatial === 0 || temporal === 0) return out
  // The reference's distance from its centre, -1 first, which is not the same to both sides.
  const distance = (frequency: number, size: number): number =>
    (2 * ((frequency + Math.floor(size / 2)) % size)) / size - 1
  let i = 0
  for (let t = 0; t < frames; t++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const square =
          ((spatial / temporal) * distance(t, frames)) ** 2 + distance(y, height) ** 2 + distance(x, width) ** 2
        out[i++] = passes[method](square, spatial, order)
      }
  return out
}

/** How much passes at a squared distance. The ideal filter's bound is the reference's: it is no radius. */
const passes: Readonly<Record<FreeInit['method'], (square: number, stop: number, order: number) => number>> = {
  butterworth: (square, stop, order) => 1 / (1 + (square / stop ** 2) ** order),
  gaussian: (square, stop) => Math.exp(-square / (2 * stop ** 2)),
  ideal: (square, stop) => (square <= stop * 2 ? 1 : 0),
}
