import { ProblemError } from '#app/contract/errors.ts'
import { linspaceFloat32 } from './arithmetic.ts'

export type BetaConfig = {
  num_train_timesteps: number
  beta_start: number
  beta_end: number
  beta_schedule: string
  trained_betas: readonly number[] | null
  rescale_betas_zero_snr: boolean
}

const alphaBar: Record<string, (t: number) => number> = {
  squaredcos_cap_v2: (t) => Math.cos((((t + 0.008) / 1.008) * Math.PI) / 2) ** 2,
  exp: (t) => Math.exp(t * -12),
  laplace: (t) => {
    const lambda = -0.5 * (t > 0.5 ? -1 : 1) * Math.log(1 - 2 * Math.abs(0.5 - t) + 1e-6)
    const snr = Math.exp(lambda)
    return Math.sqrt(snr / (1 + snr))
  },
}

/** The betas of a cumulative product given as a function of time (Nichol and Dhariwal 2021), at most 0.999 each. */
function betasOf(bar: (t: number) => number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.min(1 - bar((i + 1) / count) / bar(i / count), 0.999))
}

/**
 * The noise added at each training timestep, in float32 like the reference, whose rounding is part of its schedule.
 * Source: `diffusers/src/diffusers/schedulers/scheduling_ddim.py@58eb52c`.
 */
export function trainingBetas(config: BetaConfig): Float32Array {
  const betas = plainBetas(config)
  return config.rescale_betas_zero_snr ? rescaledToZeroSnr(betas) : betas
}

function plainBetas(config: BetaConfig): Float32Array {
  const { num_train_timesteps: count, beta_start: start, beta_end: end, beta_schedule: schedule } = config
  if (config.trained_betas) {
    if (config.trained_betas.length !== count)
      throw new ProblemError(
        'bad-model',
        `The scheduler's trained_betas has ${config.trained_betas.length} values, but num_train_timesteps is ${count}.`,
        { field: 'trained_betas' },
      )
    return Float32Array.from(config.trained_betas)
  }
  if (schedule === 'linear') return linspaceFloat32(start, end, count)
  if (schedule === 'scaled_linear')
    return linspaceFloat32(Math.sqrt(start), Math.sqrt(end), count).map((root) => root * root)
  if (schedule === 'sigmoid')
    return linspaceFloat32(-6, 6, count).map((x) => (1 / (1 + Math.exp(-x))) * (end - start) + start)
  const bar = alphaBar[schedule]
  if (!bar) throw new Error(`no beta schedule ${schedule}`) // the config schemas allow no other
  return betasOf(bar, count)
}

/** prod(1 - beta) up to each timestep, accumulated in double and kept in float32. */
export function cumulativeAlphas(betas: Float32Array): Float32Array {
  let product = 1
  return betas.map((beta) => (product *= Math.fround(1 - beta)))
}

/** Betas whose last timestep is pure noise: algorithm 1 of Lin et al. 2023, arXiv 2305.08891. */
function rescaledToZeroSnr(betas: Float32Array): Float32Array {
  const roots = cumulativeAlphas(betas).map(Math.sqrt)
  const first = roots[0] ?? 0
  const last = roots[roots.length - 1] ?? 0
  const scale = Math.fround(first / Math.fround(first - last))
  const bars = roots.map((root) => {
    const shifted = Math.fround(Math.fround(root - last) * scale)
    return shifted * shifted
  })
  return bars.map((bar, i) => 1 - (i === 0 ? bar : Math.fround(bar / (bars[i - 1] ?? 1))))
}
