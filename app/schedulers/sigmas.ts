import { linspace } from '#app/tensor/numpy.ts'
import { betaQuantile } from './beta-quantile.ts'

/** Noise over signal, sqrt((1 - a) / a), at each training timestep, rising; float32 as in the reference. */
export function trainingSigmas(alphasCumprod: Float32Array): Float32Array {
  return alphasCumprod.map((alpha) => Math.sqrt(Math.fround(Math.fround(1 - alpha) / alpha)))
}

/** The sigmas at fractional timesteps, linearly between trained ones. */
export function sigmasAt(sigmas: Float32Array, timesteps: readonly number[]): number[] {
  const last = sigmas.length - 1
  return timesteps.map((timestep) => {
    const t = Math.min(last, Math.max(0, timestep))
    const low = Math.min(Math.floor(t), Math.max(0, last - 1))
    const a = sigmas[low] ?? 0
    const b = sigmas[low + 1] ?? a
    return (b - a) * (t - low) + a
  })
}

/** The fractional timestep of a sigma, linear in log sigma. */
export function timestepOf(sigma: number, sigmas: Float32Array): number {
  const logSigma = Math.log(Math.max(sigma, 1e-10))
  const logAt = (index: number) => Math.fround(Math.log(sigmas[index] ?? 0))
  let low = 0
  let high = sigmas.length - 1
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (logAt(middle) <= logSigma) low = middle
    else high = middle - 1
  }
  low = Math.min(low, sigmas.length - 2)
  const weight = (logAt(low) - logSigma) / (logAt(low) - logAt(low + 1))
  return low + Math.min(1, Math.max(0, weight))
}

export type SigmaConfig = {
  use_karras_sigmas: boolean
  use_exponential_sigmas: boolean
  use_beta_sigmas: boolean
  sigma_min: number | null
  sigma_max: number | null
}

/**
 * Sigmas spaced as the config asks, falling from `largest` to `smallest` or to its own sigma_max and sigma_min;
 * undefined when it asks for no spacing of its own.
 */
export function respacedSigmas(
  config: SigmaConfig,
  largest: number,
  smallest: number,
  steps: number,
): number[] | undefined {
  const max = config.sigma_max ?? largest
  const min = config.sigma_min ?? smallest
  if (config.use_karras_sigmas) return karrasSigmas(max, min, steps)
  if (config.use_exponential_sigmas) return linspace(Math.log(max), Math.log(min), steps).map(Math.exp)
  if (config.use_beta_sigmas)
    return linspace(0, 1, steps).map((ramp) => min + betaQuantile(1 - ramp, 0.6, 0.6) * (max - min)) // arXiv 2407.12173
  return undefined
}

/** Equation 5 of Karras et al. 2022, arXiv 2206.00364, with rho = 7. */
export function karrasSigmas(max: number, min: number, steps: number): number[] {
  const from = max ** (1 / 7)
  const to = min ** (1 / 7)
  return linspace(0, 1, steps).map((ramp) => (from + ramp * (to - from)) ** 7)
}
