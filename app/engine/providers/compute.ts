import { ProblemError } from '#app/contract/errors.ts'
import { ort } from '../onnxruntime.ts'

/** Execution providers by the names that onnxruntime-node gives them. Which there are depends on the platform's package. */
export const providerNames = ['cpu', 'webgpu', 'dml', 'coreml', 'cuda'] as const
export type Provider = (typeof providerNames)[number]

export const precisions = ['float32', 'int8', 'float16'] as const
export type Precision = (typeof precisions)[number]

/** What a session computes on, and how finely. Part of the key that it is kept under. */
export type Compute = { readonly provider: Provider; readonly precision: Precision }

export const reference: Compute = { provider: 'cpu', precision: 'float32' }

export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: 'the processor',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'CoreML',
  cuda: 'CUDA',
}

export const titleOf = ({ provider, precision }: Compute): string => `${providerTitles[provider]} in ${precision}`

/** The providers that this installation of onnxruntime brings, the processor first. */
export function bundledProviders(): Provider[] {
  const bundled = new Set(ort.listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : [])))
  return providerNames.filter((name) => bundled.has(name))
}

/** The precisions that a provider has: bytes are multiplied fast by processors, half floats by graphics processors. */
export const precisionsOf = (provider: Provider): readonly Precision[] =>
  provider === 'cpu' ? ['float32', 'int8'] : ['float32', 'float16']

/** Throws unsupported when the two do not go together, or when this installation does not have the provider. */
export function checkOffered({ provider, precision }: Compute): void {
  if (!precisionsOf(provider).includes(precision))
    throw new ProblemError(
      'unsupported',
      `${providerTitles[provider]} does not compute in ${precision}; choose ${precisionsOf(provider).join(' or ')}.`,
      { field: 'precision' },
    )
  const bundled = bundledProviders()
  if (!bundled.includes(provider))
    throw new ProblemError(
      'unsupported',
      `${providerTitles[provider]} is not in this installation; there is ${bundled.map((name) => providerTitles[name]).join(', ')}.`,
      { field: 'provider' },
    )
}
