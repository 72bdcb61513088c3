import { defaultCompute, type Compute } from '#app/contract/compute.ts'
import { notFinite } from '#app/contract/not-finite.ts'
import type { Scheduler } from '#app/schedulers/scheduler.ts'
import { isSound, unsound } from '#app/tensor/finite.ts'
import { float32, type Shape, type Tensor } from '#app/tensor/tensor.ts'
import { during } from './diffusion.ts'

type Floats = Tensor<'float32'>

/** After a step: the sample, and the clean sample as the model sees it now. Steps are counted from 0. */
export type SampleStep<Type extends string = string> = {
  readonly type: Type
  readonly step: number
  readonly totalSteps: number
  readonly latents: Floats
  readonly predOriginal: Floats
}

export type Sampling = {
  readonly scheduler: Scheduler
  /** The step that is taken first: more than 0 where the sample does not start as noise alone. */
  readonly firstStep?: number
  readonly shape: Shape
  /** The sample at the level of noise of the first step. */
  readonly start: Float32Array
  /** Each draw that the scheduler makes. */
  readonly noise: () => Float32Array
  /**
   * What the scheduler is given: a prediction for the sample, and its variance behind it where the scheduler learns
   * one.
   */
  readonly predict: (input: Floats, timestep: Floats, step: number) => Promise<Float32Array>
  /** What is sampled, at the beginning of a sentence: "Step". */
  readonly what: string
  /** The class of the model that predicts, and what it computes on, to be named where it fails. */
  readonly className: string
  readonly compute?: Compute | undefined
}

/** Noise brought to a sample step by step, each an event of that type. Throws not-finite naming the step. */
export async function* sampleSteps<Type extends string>(
  type: Type,
  sampling: Sampling,
): AsyncGenerator<SampleStep<Type>, Floats> {
  const { scheduler, firstStep = 0, shape, noise, className } = sampling
  const totalSteps = scheduler.timesteps.length - firstStep
  let latents = float32(shape, sampling.start)
  for (let step = 0; step < totalSteps; step++) {
    const index = firstStep + step
    const place = `${sampling.what} ${step + 1} of ${totalSteps}`
    const input = float32(shape, scheduler.scaleModelInput(latents.data, index))
    const timestep = float32([1], [scheduler.timesteps[index]!])
    const output = await during(place, sampling.predict(input, timestep, step))
    const { prevSample, predOriginalSample } = scheduler.step(output, index, latents.data, noise)
    latents = float32(shape, prevSample)
    const predOriginal = float32(shape, predOriginalSample)
    if (!isSound(latents) || !isSound(predOriginal))
      throw notFinite(
        `${place}: the latents hold ${unsound}, though ${className} gave none`,
        sampling.compute ?? defaultCompute,
        'Lower the guidance, or check scheduler_config.json.',
      )
    yield { type, step, totalSteps, latents, predOriginal }
  }
  return latents
}
