import { weightedSum } from './arithmetic.ts'
import { refusal } from './config.ts'

/** x_t = sqrt(a_t) x_0 + sqrt(1 - a_t) noise, for a cumulative product a_t. */
export const noisyAt = (alphaProduct: number, original: Float32Array, noise: Float32Array): Float32Array =>
  weightedSum([Math.sqrt(alphaProduct), original], [Math.sqrt(1 - alphaProduct), noise])

/** The first timestep of a zero-SNR schedule holds no signal: the clean sample cannot be got from its noise. */
export function requireSignal(predictionType: string, alphasCumprod: Float32Array, timesteps: readonly number[]): void {
  const silent = timesteps.find((timestep) => alphasCumprod[timestep] === 0)
  if (silent !== undefined && predictionType === 'epsilon')
    throw refusal(
      `prediction_type epsilon cannot start at timestep ${silent}, which rescale_betas_zero_snr leaves without signal.`,
      'prediction_type',
    )
}

/** A zero-SNR schedule as the sigma-based classes use it: the last product is 2^-24, so that sigma stays finite. */
export function withFiniteSigma(alphasCumprod: Float32Array, rescaled: boolean): Float32Array {
  if (rescaled) alphasCumprod[alphasCumprod.length - 1] = 2 ** -24
  return alphasCumprod
}

/**
 * The beta that spans from one timestep to the previous in use, in float32: near pure noise the reference's rounding
 * decides how much of 1 - beta is left.
 */
export const betaBetween = (alphaProduct: number, alphaProductPrev: number): number =>
  Math.fround(1 - Math.fround(alphaProduct / alphaProductPrev))
