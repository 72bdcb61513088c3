/**
 * A noise schedule and its solver for one run. Steps are addressed by their index in `timesteps`, so repeated timesteps
 * (Heun, PNDM) are no ambiguity. What a multistep solver remembers lives in the object: make a new one for every run.
 * Arrays are flat, in the layout of the latents; none of them is changed.
 */
export type Scheduler = {
  /** What the model is told at each evaluation, from noise to sample. Whole or fractional, by the class. */
  readonly timesteps: readonly number[]
  /** The standard deviation that the starting noise must have. */
  readonly initNoiseSigma: number
  /** Model evaluations for each of the requested steps: 2 for Heun, else 1. */
  readonly order: number
  /** The model's output carries the variance beside the mean, and `step` wants both (batch, 2 channels, ...). */
  readonly learnsVariance: boolean
  /** The sample as the model wants it at this step. */
  scaleModelInput(sample: Float32Array, index: number): Float32Array
  /** One step. `noise` draws standard normals of the sample's size, and is called only by stochastic schedulers. */
  step(modelOutput: Float32Array, index: number, sample: Float32Array, noise: () => Float32Array): StepResult
  /** The clean sample brought to the noise level of this step. */
  addNoise(original: Float32Array, noise: Float32Array, index: number): Float32Array
  /** The same for the last training timestep. Not of the schedulers that know only the sigmas of their steps. */
  addFullNoise?(original: Float32Array, noise: Float32Array): Float32Array
}

export type StepResult = {
  prevSample: Float32Array
  /** The clean sample as the model sees it now: what a preview shows. */
  predOriginalSample: Float32Array
}

/** Arguments of diffusers' set_timesteps and step, by what they are here. */
export type SchedulerOptions = {
  /** DDIM and TCD: 0 is deterministic, 1 as random as DDPM. Others do not read it, as in the reference. */
  eta?: number
  /** Samples in the arrays; thresholding and learned variances need to know where one ends. Default 1. */
  batch?: number
  /** DDPM: the timesteps themselves, falling; as many as there are steps. */
  timesteps?: readonly number[]
  /** LCM and TCD: the part of the distilled schedule, from its end, that the steps are spread over. */
  strength?: number
  /** Euler: noise added at each step, up to sqrt(2) - 1 of the sigma at hand (Karras et al., algorithm 2). */
  churn?: Churn
}

export type Churn = {
  readonly sChurn: number
  readonly sNoise?: number
  readonly sTmin?: number
  readonly sTmax?: number
}
