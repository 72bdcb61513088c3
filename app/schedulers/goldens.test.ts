import { readFileSync, readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { schedulerOptionsOf, schedulerSpec } from '#app/parity/scheduler-cases.ts'
import { createScheduler } from './create.ts'

const goldens = process.env['SCHEDULER_GOLDENS'] ?? new URL('../../e2e/goldens/schedulers', import.meta.url).pathname

/** The float32 tensors of a file that is known to be good. */
function tensorsOf(path: string): Record<string, { shape: number[]; data: Float32Array }> {
  const bytes = readFileSync(path)
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<
    string,
    { dtype: string; shape: number[]; data_offsets: [number, number] }
  >
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [begin, end],
          },
        ]) => {
          expect(dtype).toBe('F32')
          return [
            name,
            {
              shape,
              data: new Float32Array(
                bytes.buffer.slice(bytes.byteOffset + 8 + length + begin, bytes.byteOffset + 8 + length + end),
              ),
            },
          ]
        },
      ),
  )
}

const largest = (values: Float32Array) => values.reduce((max, value) => Math.max(max, Math.abs(value)), 0)

function difference(ours: Float32Array, reference: Float32Array): number {
  expect(ours.length).toBe(reference.length)
  // NaN must fail, and Math.max keeps it.
  return ours.reduce((max, value, i) => Math.max(max, Math.abs(value - (reference[i] ?? NaN))), 0)
}

describe('goldens of the reference', () => {
  const names = readdirSync(goldens)

  it('are all there', () => expect(names.length).toBeGreaterThanOrEqual(40))

  it.each(names)('%s', (name) => {
    const golden = schedulerSpec.parse(JSON.parse(readFileSync(`${goldens}/${name}/case.json`, 'utf8')))
    const tensors = tensorsOf(`${goldens}/${name}/tensors.safetensors`)
    const tensor = (key: string) => tensors[key]?.data ?? new Float32Array()
    const initial = tensor('initial')
    const row = (key: string, index: number) =>
      tensor(key).subarray(index * initial.length, (index + 1) * initial.length)
    const scheduler = createScheduler(golden.config, golden.class, golden.num_inference_steps, {
      ...schedulerOptionsOf(golden),
      batch: tensors['initial']?.shape[0] ?? 1,
    })
    expect(scheduler.timesteps.length).toBe(golden.timesteps.length)
    scheduler.timesteps.forEach((timestep, i) =>
      expect(Math.abs(timestep - (golden.timesteps[i] ?? NaN))).toBeLessThan(1e-3),
    )
    expect(Math.abs(scheduler.initNoiseSigma / golden.init_noise_sigma - 1)).toBeLessThan(1e-6)

    let draws = 0
    let sample: Float32Array = initial
    let worst = 0
    golden.timesteps.forEach((_, index) => {
      const scaled = scheduler.scaleModelInput(sample, index)
      worst = Math.max(worst, difference(scaled, row('scaled_inputs', index)) / largest(row('scaled_inputs', index)))
      const outputs = tensor('model_outputs')
      const size = outputs.length / golden.timesteps.length
      const output = outputs.slice(index * size, (index + 1) * size)
      const { prevSample, predOriginalSample } = scheduler.step(output, index, sample, () =>
        row('noise', draws++).slice(),
      )
      expect(predOriginalSample.every(Number.isFinite)).toBe(true)
      sample = prevSample
      worst = Math.max(worst, difference(sample, row('samples', index)) / largest(row('samples', index)))
    })
    expect(draws).toBe(golden.noise_draws)
    expect(worst).toBeLessThan(1e-4)
    if (process.env['SCHEDULER_FIGURES']) console.log(`FIGURE ${name} ${worst.toExponential(1)}`)

    const noisy = scheduler.addNoise(
      tensor('add_noise.original'),
      tensor('add_noise.noise'),
      Math.min(1, golden.timesteps.length - 1),
    )
    expect(difference(noisy, tensor('add_noise')) / largest(tensor('add_noise'))).toBeLessThan(1e-4)
  })
})
