import { precisionsOf, type Compute, type Precision, type Provider } from '#app/contract/compute.ts'
import type { EngineStatus } from '#app/contract/system.ts'

export const deviceNames: Readonly<Record<Provider, string>> = {
  cpu: 'Processor',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'CoreML',
  cuda: 'CUDA',
}

/** In words: "Processor, int8". */
export const computeLabel = ({ provider, precision, exact }: Compute): string =>
  [deviceNames[provider], precision, ...(exact ? ['exact'] : [])].join(', ')

export type KnownCompute = Pick<EngineStatus, 'providers' | 'refusals'> | null

/** Why this cannot run here, in words, as far as is known: a device is checked when it is used first. */
export function computeProblem(
  { provider, precision }: Omit<Compute, 'exact'>,
  engine: KnownCompute,
): string | undefined {
  if (!engine) return undefined
  if (!engine.providers.includes(provider)) return `${deviceNames[provider]} is not in this installation.`
  return engine.refusals.find((refusal) => refusal.provider === provider && refusal.precision === precision)?.message
}

/** Exactness is a choice for float32 on the processor: elsewhere there is nothing to leave out. */
export const hasExact = ({ provider, precision }: Omit<Compute, 'exact'>): boolean =>
  provider === 'cpu' && precision === 'float32'

/** With another device or precision; what does not go with it falls back. */
export function withCompute(compute: Compute, change: { provider?: Provider; precision?: Precision }): Compute {
  const { provider, precision } = { ...compute, ...change }
  const next = { provider, precision: precisionsOf(provider).includes(precision) ? precision : ('float32' as const) }
  return { ...next, exact: compute.exact && hasExact(next) }
}
