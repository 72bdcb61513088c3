import type { Shape } from '#app/tensor/tensor.ts'

/** What a scheduler takes as samples of its own, for noise, thresholds and learned variances. */
export type Samples = {
  readonly samples: number
  /** From the order of the latents to that of the samples, and back. */
  readonly apart: (values: Float32Array) => Float32Array
  readonly together: (values: Float32Array) => Float32Array
}

const same = (values: Float32Array): Float32Array => values

/** Each picture or each clip. */
export const rowsAsSamples = ([samples = 1]: Shape): Samples => ({ samples, apart: same, together: same })

/** Each frame of latents (B, C, F, h, w). */
export const framesAsSamples = ([rows = 1, channels = 1, frames = 1]: Shape): Samples => ({
  samples: rows * frames,
  apart: (values) => swapped(values, rows, channels, frames),
  together: (values) => swapped(values, rows, frames, channels),
})

/** (rows, a, b, ...) in the order of (rows, b, a, ...). */
function swapped(values: Float32Array, rows: number, a: number, b: number): Float32Array {
  const plane = values.length / (rows * a * b)
  const result = new Float32Array(values.length)
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < a; i++)
      for (let j = 0; j < b; j++) {
        const from = ((row * a + i) * b + j) * plane
        result.set(values.subarray(from, from + plane), ((row * b + j) * a + i) * plane)
      }
  return result
}
