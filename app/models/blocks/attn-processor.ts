import { ProblemError } from '#app/contract/errors.ts'
import type { AttnProcessor, Scope } from '#app/graph/index.ts'
import { explicitAttention, fusedAttention, slicedAttention, type AttentionKernel } from './attention-kernels.ts'

/** 'added-kv': the layer projects a context of its own and puts it before its own keys and values. */
export type AttentionKind = 'plain' | 'added-kv'

/** The processor of the attention layer at `scope`. Throws bad-input when it is one for the other kind of layer. */
export function processorAt(scope: Scope, kind: AttentionKind): AttnProcessor {
  const { default: all, layers } = scope.options.processors
  const initial = kind === 'plain' ? 'AttnProcessor2_0' : 'AttnAddedKVProcessor2_0'
  const found = layers[`${scope.path}.processor`] ?? all ?? { processor: initial }
  if (found.processor.includes('AddedKV') === (kind === 'added-kv')) return found
  throw new ProblemError(
    'bad-input',
    kind === 'plain'
      ? `${found.processor} does not fit ${scope.path}, which has no added keys and values: choose AttnProcessor2_0, AttnProcessor or SlicedAttnProcessor`
      : `${found.processor} does not fit ${scope.path}, which has added keys and values: choose AttnAddedKVProcessor2_0, AttnAddedKVProcessor or SlicedAttnAddedKVProcessor`,
    { field: `${scope.path}.processor` },
  )
}

export function kernelOf(choice: AttnProcessor): AttentionKernel {
  switch (choice.processor) {
    case 'AttnProcessor':
    case 'AttnAddedKVProcessor':
    case 'CustomDiffusionAttnProcessor':
    // Names of old files: LoRAs are branches of a layer, whatever its processor.
    case 'LoRAAttnProcessor':
    case 'LoRAAttnProcessor2_0':
    case 'LoRAXFormersAttnProcessor':
    case 'LoRAAttnAddedKVProcessor':
      return explicitAttention
    case 'AttnProcessor2_0':
    case 'AttnAddedKVProcessor2_0':
    case 'XFormersAttnProcessor':
    case 'XFormersAttnAddedKVProcessor':
    case 'FusedAttnProcessor2_0':
    case 'CustomDiffusionAttnProcessor2_0':
    case 'CustomDiffusionXFormersAttnProcessor':
      return fusedAttention
    case 'SlicedAttnProcessor':
    case 'SlicedAttnAddedKVProcessor':
      return slicedAttention(choice.slice_size)
  }
}
