import { z } from 'zod'

/**
 * Execution providers by the names that onnxruntime-node gives them. Which there are depends on the platform's package.
 */
export const providerNames = ['cpu', 'webgpu', 'dml', 'coreml', 'cuda'] as const
export const providerSchema = z.enum(providerNames)
export type Provider = z.infer<typeof providerSchema>

/** In the middle of a sentence. */
export const providerTitles: Readonly<Record<Provider, string>> = {
  cpu: 'the processor',
  webgpu: 'WebGPU',
  dml: 'DirectML',
  coreml: 'CoreML',
  cuda: 'CUDA',
}

export const precisions = ['float32', 'int8', 'float16'] as const
export const precisionSchema = z.enum(precisions)
export type Precision = z.infer<typeof precisionSchema>

/** The precisions that a provider has: bytes are multiplied fast by processors, half floats by graphics processors. */
export const precisionsOf = (provider: Provider): readonly Precision[] =>
  provider === 'cpu' ? ['float32', 'int8'] : ['float32', 'float16']

/** Why a provider does not compute in that precision, and what to choose. */
export const precisionRefusal = ({ provider, precision }: ComputeKind): string =>
  `${providerTitles[provider]} does not compute in ${precision}; choose ${precisionsOf(provider).join(' or ')}.`

/** What a session computes on, and how finely. */
export type ComputeKind = { readonly provider: Provider; readonly precision: Precision }

export type Compute = ComputeKind & {
  /** Leaves out what float32 is sped up by at the price of a last digit: convolutions by Winograd's filtering. */
  readonly exact: boolean
}

export const computeSchema = z
  .object({ provider: providerSchema, precision: precisionSchema, exact: z.boolean() })
  .refine(({ provider, precision }) => precisionsOf(provider).includes(precision), {
    path: ['precision'],
    error: ({ input }) => precisionRefusal(input as ComputeKind),
  })
  .refine(({ precision, exact }) => !exact || precision === 'float32', {
    path: ['exact'],
    error: 'Exact is for float32: choose that precision, or leave exact out.',
  })

export const defaultCompute: Compute = { provider: 'cpu', precision: 'float32', exact: false }
