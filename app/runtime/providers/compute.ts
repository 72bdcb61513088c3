import {
  defaultCompute,
  precisionRefusal,
  precisionsOf,
  providerNames,
  providerTitles,
  type Compute,
  type ComputeKind,
  type Provider,
} from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { ort } from '../onnxruntime.ts'

/** What all others are measured by. */
export const reference: Compute = defaultCompute

export const titleOf = ({ provider, precision }: ComputeKind): string => `${providerTitles[provider]} in ${precision}`

/** The providers that this installation of onnxruntime brings, the processor first. */
export function bundledProviders(): Provider[] {
  const bundled = new Set(ort.listSupportedBackends().flatMap(({ name, bundled }) => (bundled ? [name] : [])))
  return providerNames.filter((name) => bundled.has(name))
}

/** Throws bad-input when the two do not go together, unsupported when this installation does not have the provider. */
export function checkOffered({ provider, precision }: ComputeKind): void {
  if (!precisionsOf(provider).includes(precision))
    throw new ProblemError('bad-input', precisionRefusal({ provider, precision }), { field: 'compute' })
  const bundled = bundledProviders()
  if (!bundled.includes(provider))
    throw new ProblemError(
      'unsupported',
      `${providerTitles[provider]} is not in this installation; there is ${bundled.map((name) => providerTitles[name]).join(', ')}.`,
      { field: 'compute' },
    )
}
