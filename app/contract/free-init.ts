import { z } from 'zod'

export const freeInitMethods = ['butterworth', 'gaussian', 'ideal'] as const

/** FreeInit (arXiv 2312.07537), named as diffusers' `enable_free_init` does. */
export const freeInitSchema = z.object({
  numIters: z.int().min(1).max(10),
  /** Fewer steps in the first rounds, all of them in the last. */
  useFastSampling: z.boolean(),
  /** The filter that parts low frequencies from high ones. */
  method: z.enum(freeInitMethods),
  /** Of the Butterworth filter: how steep it is. */
  order: z.int().min(1).max(32),
  /** Where low frequencies end in a frame and over the frames, as a part of the highest. */
  spatialStopFrequency: z.number().min(0).max(1),
  temporalStopFrequency: z.number().min(0).max(1),
})
export type FreeInit = z.infer<typeof freeInitSchema>

/** As `enable_free_init` has it without arguments. */
export const defaultFreeInit: FreeInit = {
  numIters: 3,
  useFastSampling: false,
  method: 'butterworth',
  order: 4,
  spatialStopFrequency: 0.25,
  temporalStopFrequency: 0.25,
}

/**
 * The steps that each round lays out, and how many of them it leaves out at the beginning. With a `strength` below 1
 * each round lays out what the one before has run.
 * Source: diffusers/src/diffusers/pipelines/animatediff/pipeline_animatediff_video2video.py@58eb52c.
 */
export function freeInitSteps(
  { numIters, useFastSampling }: FreeInit,
  steps: number,
  strength = 1,
): { laidOut: number; leftOut: number }[] {
  let left = steps
  return Array.from({ length: numIters }, (_, i) => {
    const laidOut = useFastSampling ? Math.max(1, Math.floor((left / numIters) * (i + 1))) : left
    const run = Math.floor(laidOut * strength)
    if (strength < 1) left = run
    return { laidOut, leftOut: laidOut - run }
  })
}
