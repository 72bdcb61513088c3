import { attnProcessorTable, isAddedKv, offered, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { ProblemError } from '#app/contract/errors.ts'
import type { Scope } from '#app/graph/index.ts'
import { explicitAttention, fusedAttention, slicedAttention, type AttentionKernel } from './attention-kernels.ts'

/** 'added-kv': the layer projects a context of its own and puts it before its own keys and values. */
export type AttentionKind = 'plain' | 'added-kv'

/** The processor of the attention layer at `scope`. Throws bad-input when it is one for the other kind of layer. */
export function processorAt(scope: Scope, kind: AttentionKind): AttnProcessor {
  const { default: all, layers } = scope.options.processors
  const addedKv = kind === 'added-kv'
  const fitting = offered(addedKv)
  const found = layers[`${scope.path}.processor`] ?? all ?? fitting[0]!
  if (isAddedKv(found) === addedKv) return found
  const names = fitting.map(({ processor }) => processor)
  const advice = `choose ${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
  throw new ProblemError(
    'bad-input',
    `${found.processor} does not fit ${scope.path}, which has ${addedKv ? '' : 'no '}added keys and values: ${advice}`,
    { field: `${scope.path}.processor` },
  )
}

const kernels = { explicit: explicitAttention, fused: fusedAttention }

export const kernelOf = (choice: AttnProcessor): AttentionKernel =>
  'slice_size' in choice ? slicedAttention(choice.slice_size) : kernels[attnProcessorTable[choice.processor].kernel]
