import type { ComputeKind } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Refusal } from '#app/contract/system.ts'
import type { Graph } from '#app/graph/index.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { openSession } from '../session.ts'
import { checkOffered, reference, titleOf } from './compute.ts'
import { exactGraph, exactInput, exactOutput } from './exact-case.ts'
import { lower } from './lower.ts'
import { wideGraph, wideInput } from './wide-case.ts'

/** `error`: the largest distance from the right numbers, as a part of the largest of them. */
export type SelfCheck =
  | { readonly state: 'right' | 'wrong'; readonly error: number; readonly limit: number }
  /** It cannot be used here: not installed, no device, or a failure. */
  | { readonly state: 'missing'; readonly reason: string }

/**
 * Graphics processors may multiply float32 in fewer bits; 8-bit activations move by up to half of 1/255 of their range.
 */
const limitOf = ({ provider, precision }: ComputeKind): number =>
  precision === 'int8' ? 5e-2 : provider === 'cpu' ? 1e-5 : 2e-2

export type RunCase = (graph: Graph, input: Tensor, compute: ComputeKind) => Promise<Float32Array>

/**
 * Compares a provider with the right numbers on two small cases: the processor in float32 with a computation by hand in
 * double precision, all others also with the processor in float32.
 */
export async function selfCheck(compute: ComputeKind, run: RunCase = runCase): Promise<SelfCheck> {
  try {
    checkOffered(compute)
    const errors = [distance(await run(exactGraph(), exactInput, compute), exactOutput())]
    const isReference = compute.provider === reference.provider && compute.precision === reference.precision
    if (!isReference)
      errors.push(distance(await run(wideGraph(), wideInput, compute), await run(wideGraph(), wideInput, reference)))
    const error = Math.max(...errors) // NaN when one is
    const limit = limitOf(compute)
    return { state: error <= limit ? 'right' : 'wrong', error, limit }
  } catch (cause) {
    return { state: 'missing', reason: reasonOf(cause) }
  }
}

/** What was found in this process. Not the check's promise: the last answer holds until the next one is there. */
const checked = new Map<string, { readonly compute: ComputeKind; readonly result: SelfCheck }>()

/** Checks anew, and keeps what comes out for `requireRight` and `refusals`. */
export async function checkAgain(compute: ComputeKind): Promise<SelfCheck> {
  const result = await selfCheck(compute)
  checked.set(`${compute.provider} ${compute.precision}`, { compute, result })
  return result
}

/**
 * Throws unsupported, with the figure or the reason, unless the provider computes rightly on this machine. Checked once
 * a process.
 */
export async function requireRight(compute: ComputeKind): Promise<void> {
  checkOffered(compute)
  const known = checked.get(`${compute.provider} ${compute.precision}`)
  refuseWrong(compute, known?.result ?? (await checkAgain(compute)))
}

/** The checks that did not go well so far, each with what `requireRight` says of it. */
export function refusals(): Refusal[] {
  return [...checked.values()].flatMap(({ compute: { provider, precision }, result }) => {
    const message = refusalOf({ provider, precision }, result)
    return message === undefined ? [] : [{ provider, precision, message }]
  })
}

/** Throws unsupported for a check that did not go well. */
export function refuseWrong(compute: ComputeKind, result: SelfCheck): void {
  const message = refusalOf(compute, result)
  if (message !== undefined) throw new ProblemError('unsupported', message, { field: 'compute' })
}

function refusalOf(compute: ComputeKind, result: SelfCheck): string | undefined {
  const what = `${titleOf(compute)[0]!.toUpperCase()}${titleOf(compute).slice(1)}`
  switch (result.state) {
    case 'right':
      return undefined
    case 'missing':
      return `${what} cannot be used here: ${result.reason.replace(/\.$/, '')}. Choose another ${compute.precision === 'float32' ? 'provider' : 'precision'}.`
    case 'wrong':
      return `${what} computes wrongly on this machine: it is off by ${figure(result.error)} of the largest value in a self-check, where ${figure(result.limit)} is allowed. It is not used; choose another provider or precision.`
  }
}

export const figure = (value: number): string => value.toExponential(1)

async function runCase(graph: Graph, input: Tensor, compute: ComputeKind): Promise<Float32Array> {
  const { provider } = compute
  const session = await openSession(await lower(graph, compute), { threads: 1, prepack: false, provider })
  try {
    const { y } = await session.run({ x: input })
    return y!.data as Float32Array
  } finally {
    await session.release()
  }
}

function distance(actual: Float32Array, expected: Float32Array | Float64Array): number {
  if (actual.length !== expected.length) return NaN
  let [worst, largest] = [0, 0]
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!)
    if (error > worst || Number.isNaN(error)) worst = error // NaN stays
    largest = Math.max(largest, Math.abs(expected[i]!))
  }
  return worst / largest
}

/** onnxruntime puts its source line, function, condition and node before the reason. */
function reasonOf(cause: unknown): string {
  const [line = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
  return line.split(/ was false\. | Status Message: /).at(-1)!
}
