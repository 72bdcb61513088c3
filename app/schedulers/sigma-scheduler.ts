import { weightedSum } from './arithmetic.ts'

/** The starting deviation of the Euler, Heun and LMS family. */
export function initialSigma(config: { timestep_spacing: string }, sigmas: Float32Array): number {
  const largest = sigmas.reduce((max, sigma) => Math.max(max, sigma), 0)
  return config.timestep_spacing === 'leading' ? Math.fround(Math.sqrt(largest * largest + 1)) : largest
}

/** The variance-exploding sample scaled to unit variance, which the model was trained on. */
export const scaledInput = (sample: Float32Array, sigma: number): Float32Array =>
  weightedSum([1 / Math.sqrt(sigma * sigma + 1), sample])

/**
 * dx/dsigma = (sample - original) / sigma, rounded after each operation: at a sigma of thousands the rounding of the
 * difference is no smaller than what remains of the sample later, so it has to be the reference's.
 */
export function slopeAt(sample: Float32Array, original: Float32Array, sigma: number): Float32Array {
  return sample.map((value, i) => Math.fround(value - (original[i] ?? NaN)) / sigma)
}
