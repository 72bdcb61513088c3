import { join } from 'node:path'
import { z } from 'zod'
import { createScheduler } from '#app/schedulers/create.ts'
import type { SchedulerOptions } from '#app/schedulers/scheduler.ts'
import { float32, rows, type Tensor } from '#app/tensor/tensor.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { compare, readJson, readTensors, tolerance, type Verdict } from './case.ts'

export const schedulerSpec = z.object({
  class: z.string(),
  config: z.record(z.string(), z.unknown()),
  num_inference_steps: z.int(),
  set_timesteps_args: z
    .strictObject({ timesteps: z.array(z.int()), strength: z.number() })
    .partial()
    .default({}),
  step_args: z.strictObject({ eta: z.number(), s_churn: z.number(), s_noise: z.number() }).partial(),
  init_noise_sigma: z.number(),
  timesteps: z.array(z.number()),
  noise_draws: z.int(),
})

/** The arguments of set_timesteps and step as they are called here. */
export function schedulerOptionsOf({ set_timesteps_args, step_args }: z.infer<typeof schedulerSpec>): SchedulerOptions {
  const { timesteps, strength } = set_timesteps_args
  const { eta, s_churn: sChurn, s_noise: sNoise } = step_args
  return {
    ...(timesteps && { timesteps }),
    ...(strength !== undefined && { strength }),
    ...(eta !== undefined && { eta }),
    ...(sChurn !== undefined && { churn: { sChurn, ...(sNoise !== undefined && { sNoise }) } }),
  }
}

/** schedulers/NAME-STEPS: the whole chain of steps against the reference's, and noise added at the second one. */
export async function runSchedulerCase(folder: string): Promise<Verdict> {
  const spec = schedulerSpec.parse(await readJson(join(folder, 'case.json')))
  const tensors = await readTensors(join(folder, 'tensors.safetensors'))
  const initial = toFloat32(tensors.initial!)
  const row = (name: string, i: number): Float32Array => toFloat32(rows(tensors[name]!, i, i + 1)).data
  const scheduler = createScheduler(spec.config, spec.class, spec.num_inference_steps, {
    batch: initial.shape[0]!,
    ...schedulerOptionsOf(spec),
  })
  const count = spec.timesteps.length
  if (scheduler.timesteps.length !== count)
    return { state: 'FAIL', figure: `${scheduler.timesteps.length} timesteps, expected ${count}` }

  const scaled: number[] = []
  const samples: number[] = []
  let draws = 0
  let sample = initial.data
  for (let i = 0; i < count; i++) {
    scaled.push(...scheduler.scaleModelInput(sample, i))
    sample = scheduler.step(row('model_outputs', i), i, sample, () => row('noise', draws++)).prevSample
    samples.push(...sample)
  }
  if (draws !== spec.noise_draws)
    return { state: 'FAIL', figure: `${draws} draws of noise, expected ${spec.noise_draws}` }
  const noisy = scheduler.addNoise(
    toFloat32(tensors['add_noise.original']!).data,
    toFloat32(tensors['add_noise.noise']!).data,
    Math.min(1, count - 1),
  )
  const steps = [count, ...initial.shape]
  const actual: Record<string, Tensor> = {
    samples: float32(steps, samples),
    scaled_inputs: float32(steps, scaled),
    add_noise: float32(initial.shape, noisy),
    timesteps: float32([count], scheduler.timesteps),
    init_noise_sigma: float32([1], [scheduler.initNoiseSigma]),
  }
  const expected = {
    samples: tensors.samples!,
    scaled_inputs: tensors.scaled_inputs!,
    add_noise: tensors.add_noise!,
    timesteps: float32([count], spec.timesteps),
    init_noise_sigma: float32([1], [spec.init_noise_sigma]),
  }
  return compare(actual, expected, tolerance)
}
