import { precisionsOf, type ComputeKind, type Provider } from '#app/contract/compute.ts'
import type { DoctorReport } from '#app/contract/system.ts'
import { ort } from '#app/runtime/onnxruntime.ts'
import { fusedAttentionIsRight } from '#app/runtime/providers/attention-check.ts'
import { checkAgain, figure } from '#app/runtime/providers/self-check.ts'

type Check = DoctorReport['checks'][number]

/**
 * The self-check of one execution provider in each precision that it has. One that computes wrongly is reported with
 * its figure.
 */
export async function checkProvider(provider: Provider): Promise<Check[]> {
  const checks: Check[] = []
  for (const precision of precisionsOf(provider)) {
    const check = await checkOne({ provider, precision })
    checks.push(check)
    if (check.state !== 'ok' && precision === 'float32') break // it says the same for all
  }
  return checks
}

async function checkOne(compute: ComputeKind): Promise<Check> {
  const { provider, precision } = compute
  const name = precision === 'float32' ? `Provider ${provider}` : `Provider ${provider}, ${precision}`
  const result = await checkAgain(compute)
  if (result.state === 'missing')
    return {
      name,
      state: provider === 'cpu' ? 'missing' : 'warning',
      detail: `cannot be used here: ${result.reason}`,
    }
  const fused = await fusedAttentionIsRight(provider)
  const error = `largest error of the self-check ${figure(result.error)}`
  const note = fused ? '' : '; its fused attention is wrong here, so that it is computed in plain operators'
  return result.state === 'right'
    ? { name, state: 'ok', detail: error + note }
    : { name, state: 'warning', detail: `computes wrongly: ${error}, allowed ${figure(result.limit)}` }
}

export const onnxruntimeVersion = (): string => ort.env.versions.node ?? 'of an unknown version'
