import { providerTitles, type ComputeKind } from './compute.ts'
import { ProblemError } from './errors.ts'

/** The field of a problem that may not be one in float32. */
export const precisionField = 'compute.precision'

/**
 * A run came upon numbers that nothing can be made of, and its files hold none. `what` says where, as a sentence
 * without its end; `advice` what may help in any precision.
 */
export function notFinite(what: string, { provider, precision }: ComputeKind, advice: string): ProblemError {
  const coarse = precision !== 'float32'
  const hint = coarse ? 'Choose the precision float32. ' : ''
  const message = `${what} (${providerTitles[provider]} in ${precision}). ${hint}${advice} Nothing was saved.`
  return new ProblemError('not-finite', message, coarse ? { field: precisionField } : {})
}
