import { providerTitles, type ComputeKind } from '#app/contract/compute.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { notFinite } from '#app/contract/not-finite.ts'
import type { Graph } from '#app/graph/index.ts'
import { requireSound, weightsOf } from '#app/runtime/sound-weights.ts'
import { isSound, unsound } from '#app/tensor/finite.ts'
import type { Tensor } from '#app/tensor/tensor.ts'

type Tensors = Readonly<Record<string, Tensor>>

/** A run of a model. The graph is asked for only where something is wrong. */
export type Ran = {
  readonly className: string
  readonly compute: ComputeKind
  readonly inputs: Tensors
  readonly outputs: Tensors
  readonly graph: () => Graph
}

/**
 * Throws not-finite when an output holds what nothing can be made of, naming what it comes from: an input, a weight
 * with its file, or the model itself. Weights stay mapped and are not read ahead, so they are looked through only then.
 */
export async function checkOutputs({ className, compute, inputs, outputs, graph }: Ran): Promise<void> {
  const output = firstUnsound(outputs)
  if (output === undefined) return
  const input = firstUnsound(inputs)
  if (input !== undefined)
    throw new ProblemError('not-finite', `${className} was given ${unsound} as ${input}. Nothing was saved.`, {
      field: input,
    })
  await requireSound(weightsOf(graph()))
  throw notFinite(
    `${className} gave ${unsound} as ${output}, though its weights hold none`,
    compute,
    'Lower what makes it stronger, such as the factors of FreeU and the scales of LoRAs, or choose another checkpoint.',
  )
}

const firstUnsound = (tensors: Tensors): string | undefined =>
  Object.entries(tensors).find(([, tensor]) => !isSound(tensor))?.[0]

/** What is wrong with a file, as a problem of the model that it was read for. */
export function forModel(error: unknown, { className, compute }: Pick<Ran, 'className' | 'compute'>): unknown {
  if (!(error instanceof ProblemError) || error.problem.code !== 'not-finite' || !error.problem.file) return error
  const { code, message, ...more } = error.problem
  const on = `${providerTitles[compute.provider]} in ${compute.precision}`
  return new ProblemError(code, `${className} (${on}): ${message}`, { ...more, cause: error })
}
