import type { SchedulerChanges, SchedulerKey } from '#app/contract/schedulers.ts'

type Value = string | number | boolean

/** Keys of a scheduler's config as the form has them: what a row is called, and what can be chosen. */
export type SchedulerSetting = {
  readonly key: Exclude<SchedulerKey, (typeof sigmaKeys)[number]>
  readonly label: string
  readonly values: readonly (readonly [value: Value, label: string])[]
}

/** Three switches of which one alone may be on: a choice of its own. */
export const sigmaKeys = ['use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas'] as const
export const sigmaLabels = ['Karras', 'Exponential', 'Beta'] as const

const onOff = [
  [true, 'On'],
  [false, 'Off'],
] as const
const numbers = (...values: number[]) => values.map((value) => [value, String(value)] as const)

export const schedulerSettings: readonly SchedulerSetting[] = [
  {
    key: 'beta_schedule',
    label: 'Noise',
    values: [
      ['linear', 'Linear (AnimateDiff)'],
      ['scaled_linear', 'Scaled linear'],
      ['squaredcos_cap_v2', 'Squared cosine'],
    ],
  },
  { key: 'beta_start', label: 'Least noise', values: numbers(0.0001, 0.00085) },
  { key: 'beta_end', label: 'Most noise', values: numbers(0.012, 0.02) },
  {
    key: 'timestep_spacing',
    label: 'Spacing',
    values: [
      ['leading', 'Leading'],
      ['linspace', 'Even (linspace)'],
      ['trailing', 'Trailing'],
    ],
  },
  { key: 'steps_offset', label: 'Offset', values: numbers(0, 1) },
  {
    key: 'prediction_type',
    label: 'Predicts',
    values: [
      ['epsilon', 'The noise (epsilon)'],
      ['v_prediction', 'The velocity (v)'],
      ['sample', 'The clean sample'],
    ],
  },
  {
    key: 'final_sigmas_type',
    label: 'Ends at',
    values: [
      ['zero', 'No noise'],
      ['sigma_min', 'The least trained'],
    ],
  },
  {
    key: 'algorithm_type',
    label: 'Algorithm',
    values: [
      ['dpmsolver++', 'DPM-Solver++'],
      ['sde-dpmsolver++', 'SDE DPM-Solver++'],
      ['dpmsolver', 'DPM-Solver'],
      ['sde-dpmsolver', 'SDE DPM-Solver'],
    ],
  },
  { key: 'solver_order', label: 'Order', values: numbers(1, 2, 3) },
  { key: 'original_inference_steps', label: 'Distilled steps', values: numbers(25, 50, 100) },
  { key: 'clip_sample', label: 'Clip sample', values: onOff },
  {
    key: 'set_alpha_to_one',
    label: 'Last alpha',
    values: [
      [true, 'One'],
      [false, 'The first trained'],
    ],
  },
  { key: 'rescale_betas_zero_snr', label: 'Zero SNR', values: onOff },
]

/** What was changed of a schedule, in words. */
export function scheduleInWords(changes: SchedulerChanges): [name: string, value: string][] {
  const spacing = sigmaSpacing(changes)
  const rows = schedulerSettings.flatMap(({ key, label, values }): [string, string][] => {
    const value = changes[key]
    return value === undefined ? [] : [[label, values.find(([one]) => one === value)?.[1] ?? String(value)]]
  })
  return spacing === null ? rows : [...rows, ['Sigmas', spacing]]
}

/** The spacing of sigmas that changes ask for: null as the checkpoint says, Plain for none of the three. */
export function sigmaSpacing(changes: SchedulerChanges): string | null {
  const at = sigmaKeys.findIndex((key) => changes[key])
  return at >= 0 ? sigmaLabels[at]! : sigmaKeys.some((key) => key in changes) ? 'Plain' : null
}

export function withSigmaSpacing(changes: SchedulerChanges, spacing: string | null): SchedulerChanges {
  const { use_karras_sigmas: _, use_exponential_sigmas: __, use_beta_sigmas: ___, ...rest } = changes
  if (spacing === null) return rest
  return { ...rest, ...Object.fromEntries(sigmaKeys.map((key, i) => [key, sigmaLabels[i] === spacing])) }
}
