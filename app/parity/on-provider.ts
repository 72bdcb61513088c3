import type { ComputeKind } from '#app/contract/compute.ts'
import { refuseWrong, selfCheck } from '#app/runtime/providers/self-check.ts'
import { toProblem } from '#app/contract/errors.ts'
import type { Verdict } from './case.ts'

/** Agreement on a graphics processor or in half precision, and in 8 bits, as a part of the output's largest value. */
const [otherProvider, eightBits] = [2e-2, 2e-1]

/** What the cases' own tolerance, for float32 on the processor, becomes elsewhere. */
export const limitOn = ({ provider, precision }: ComputeKind, tolerance: number): number =>
  precision === 'int8' ? eightBits : provider === 'cpu' ? tolerance : otherProvider

/**
 * The verdict of every case that runs a model where the provider cannot: SKIP where it is missing, FAIL where it
 * computes wrongly.
 */
export async function verdictWithout(compute: ComputeKind): Promise<Verdict | undefined> {
  const result = await selfCheck(compute)
  try {
    refuseWrong(compute, result)
    return undefined
  } catch (error) {
    return { state: result.state === 'missing' ? 'SKIP' : 'FAIL', figure: toProblem(error).message }
  }
}
