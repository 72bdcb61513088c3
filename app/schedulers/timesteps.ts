import { linspace, roundHalfEven } from '#app/tensor/numpy.ts'
import { ProblemError } from '#app/contract/errors.ts'

export type Spacing = 'linspace' | 'leading' | 'trailing'

/** Where the timesteps come from: table 2 of Lin et al. 2023, arXiv 2305.08891. */
export type SpacingConfig = { num_train_timesteps: number; timestep_spacing: Spacing; steps_offset: number }

/**
 * `num_train_timesteps`, ..., down by equal parts: numpy's arange, without the extra element that rounding can give it.
 */
function trailing(trainSteps: number, steps: number): number[] {
  const delta = trainSteps - trainSteps / steps - trainSteps
  return Array.from({ length: steps }, (_, i) => roundHalfEven(trainSteps + i * delta) - 1)
}

function leading(trainSteps: number, steps: number, offset: number): number[] {
  const ratio = Math.floor(trainSteps / steps)
  return Array.from({ length: steps }, (_, i) => (steps - 1 - i) * ratio + offset)
}

/** Whole timesteps, from the noisiest: DDIM, DDPM and PNDM. */
export function wholeTimesteps(config: SpacingConfig, steps: number): number[] {
  const { num_train_timesteps: trainSteps, timestep_spacing: spacing, steps_offset: offset } = config
  if (spacing === 'linspace')
    return linspace(0, trainSteps - 1, steps)
      .map(roundHalfEven)
      .reverse()
  return spacing === 'leading' ? leading(trainSteps, steps, offset) : trailing(trainSteps, steps)
}

/** Timesteps that may be fractional, in float32: the Euler, Heun and LMS family. */
export function fractionalTimesteps(config: SpacingConfig, steps: number): number[] {
  if (config.timestep_spacing !== 'linspace') return wholeTimesteps(config, steps)
  return linspace(0, config.num_train_timesteps - 1, steps)
    .map(Math.fround)
    .reverse()
}

/**
 * Whole timesteps that leave out the last of steps + 1 parts: DPM-Solver and UniPC. `last` is the number of training
 * timesteps in use, fewer than all where lambda is clipped.
 */
export function multistepTimesteps(config: SpacingConfig, steps: number, last: number): number[] {
  const { num_train_timesteps: trainSteps, timestep_spacing: spacing, steps_offset: offset } = config
  if (spacing === 'linspace')
    return linspace(0, last - 1, steps + 1)
      .map(roundHalfEven)
      .reverse()
      .slice(0, -1)
  if (spacing === 'leading') {
    const ratio = Math.floor(last / (steps + 1))
    return Array.from({ length: steps }, (_, i) => (steps - i) * ratio + offset)
  }
  const delta = last - trainSteps / steps - last
  const length = Math.min(steps, Math.ceil(last / (trainSteps / steps)))
  return Array.from({ length }, (_, i) => roundHalfEven(last + i * delta) - 1)
}

/** Throws bad-input unless every timestep was trained. */
export function requireTrained(timesteps: readonly number[], trainSteps: number): void {
  const outside = timesteps.find((timestep) => timestep < 0 || timestep >= trainSteps)
  if (outside !== undefined)
    throw new ProblemError(
      'bad-input',
      `${timesteps.length} steps reach timestep ${outside}, but the model was trained on 0 to ${trainSteps - 1}. Use fewer steps.`,
      { field: 'numInferenceSteps' },
    )
}

/** Throws bad-input unless timesteps that were given fall from step to step. */
export function requireFalling(timesteps: readonly number[], steps: number): void {
  const refuse = (message: string): never => {
    throw new ProblemError('bad-input', message, { field: 'timesteps' })
  }
  if (timesteps.length !== steps) refuse(`There are ${timesteps.length} timesteps for ${steps} steps.`)
  const wrong = timesteps.findIndex((timestep, i) => i > 0 && timestep >= timesteps[i - 1]!)
  if (wrong > 0) refuse(`Timestep ${timesteps[wrong]} does not lie below ${timesteps[wrong - 1]}, which is before it.`)
}
