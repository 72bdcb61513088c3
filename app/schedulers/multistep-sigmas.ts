import { roundHalfEven } from '#app/tensor/numpy.ts'
import { refusal } from './config.ts'

/** The signal and noise of x = alpha * clean + sigma * noise, from the schedule's sigma. */
export function signalAndNoise(config: { use_flow_sigmas: boolean }, sigma: number): [alpha: number, sigma: number] {
  if (config.use_flow_sigmas) return [1 - sigma, sigma]
  const alpha = 1 / Math.sqrt(sigma * sigma + 1)
  return [alpha, sigma * alpha]
}

/** lambda = log(alpha / sigma), infinite where the noise is gone. */
export function halfLogSnr(config: { use_flow_sigmas: boolean }, sigma: number): number {
  const [alpha, noise] = signalAndNoise(config, sigma)
  return Math.log(alpha) - Math.log(noise)
}

/** DPM-Solver and UniPC tell the model whole timesteps, cut off unless the spacing says to round. */
export const wholeTimestep = (timestep: number, round: boolean): number =>
  round ? roundHalfEven(timestep) : Math.trunc(timestep)

/** Refuses dynamic shifting, whose shift depends on an image size that the config does not hold. */
export function requireStaticShift(config: { use_dynamic_shifting: boolean }): void {
  if (config.use_dynamic_shifting)
    throw refusal('use_dynamic_shifting is not supported; set it to false and give flow_shift.', 'use_dynamic_shifting')
}
