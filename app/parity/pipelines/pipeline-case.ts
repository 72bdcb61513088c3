import { z } from 'zod'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import type { Tensors } from '../case.ts'

export const pipelineSpec = z.object({
  pipeline: z.string(),
  checkpoint: z.string(),
  /** Parts that come from elsewhere, by their names. */
  components: z.record(z.string(), z.unknown()).default({}),
  setup: z.array(z.unknown()).default([]),
  args: z.unknown(),
})

/** Runs a case. Its outputs have the reference's names. */
export type RunPipelineCase = (given: {
  readonly folder: string
  readonly spec: z.infer<typeof pipelineSpec>
  readonly inputs: Tensors
  readonly sessions: SessionCache
}) => Promise<Tensors>

/** Refuses what a run would pass over: parts from elsewhere, and calls before it. */
export function requirePlain({ components, setup }: z.infer<typeof pipelineSpec>): void {
  if (Object.keys(components).length > 0 || setup.length > 0)
    throw new Error('the parity runner knows no other parts and no setup for this pipeline')
}

/** A case's scheduler: its class, and config keys that stand alone, without any of the checkpoint's own. */
export const schedulerArgs = z.looseObject({ class: z.string() }).transform(({ class: scheduler, ...config }) => ({
  scheduler,
  schedulerConfig: { ...blank, ...config },
}))

const blank = {
  beta_schedule: undefined,
  beta_start: undefined,
  beta_end: undefined,
  clip_sample: undefined,
  steps_offset: undefined,
  set_alpha_to_one: undefined,
  timestep_spacing: undefined,
}

/** One text, or one for each picture or clip of a batch. */
export const texts = z.union([z.string().transform((text) => [text]), z.array(z.string())])

/** The reference's normal draws, noise.0, noise.1 ..., one at each call. Throws where it made no more. */
export function drawsOf(inputs: Tensors): () => Float32Array {
  let drawn = 0
  return () => {
    const noise = inputs[`noise.${drawn++}`]
    if (!noise) throw new Error(`the pipeline draws noise ${drawn} times, the reference ${drawn - 1} times`)
    return toFloat32(noise).data
  }
}

/** The reference's permutations, shuffles.0, shuffles.1 ..., one at each call. Throws where it made no more. */
export function shufflesOf(inputs: Tensors): () => number[] {
  let drawn = 0
  return () => {
    const order = inputs[`shuffles.${drawn++}`]
    if (!order) throw new Error(`the pipeline shuffles ${drawn} times, the reference ${drawn - 1} times`)
    return Array.from(order.data, Number)
  }
}

export function stacked(tensors: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const all = new Float32Array(tensors.length * tensors[0]!.data.length)
  tensors.forEach(({ data }, i) => {
    all.set(data, i * data.length)
  })
  return float32([tensors.length, ...tensors[0]!.shape], all)
}

/** Images (1, 3, H, W) in -1..1 as (N, 3, H, W) in 0..1. */
export function inUnitRange(images: readonly Tensor<'float32'>[]): Tensor<'float32'> {
  const { shape, data } = stacked(images)
  const values = data.map((value) => Math.min(Math.max(value / 2 + 0.5, 0), 1))
  return float32([shape[0]!, ...shape.slice(2)], values)
}
