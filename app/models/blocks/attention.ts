import { attnProcessorTable, type AttnProcessor } from '#app/contract/attn-processor-table.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { concat, linear, reshape, split, withLinearLoras, type Scope, type Value } from '#app/graph/index.ts'
import { showShape } from '#app/tensor/tensor.ts'
import { kernelOf, processorAt } from './attn-processor.ts'
import { imageKeys, withImages, type ImagePrompt } from './ip-adapter.ts'

export type AttentionOptions = {
  readonly heads: number
  readonly headDim: number
  /** (B, L, D) for cross-attention; the hidden states themselves without it. */
  readonly encoderHiddenStates?: Value | undefined
  /** Biases on to_q, to_k and to_v. */
  readonly bias?: boolean
  readonly outBias?: boolean
  /** Added to the scores: (1 or B, 1 or heads, 1 or S, L). */
  readonly mask?: Value | undefined
  /** Pictures that are looked at beside the context, each by keys and values of its own. */
  readonly imagePrompts?: readonly ImagePrompt[] | undefined
}

/**
 * Multi-head attention over (B, S, D) with the layer names of diffusers' Attention: to_q, to_k, to_v, to_out.0.
 * Source: diffusers/src/diffusers/models/attention_processor.py@58eb52c, arXiv 1706.03762; Custom Diffusion:
 * arXiv 2212.04488.
 */
export function attention(scope: Scope, hiddenStates: Value, options: AttentionOptions): Value {
  const { heads, outBias = true, mask, imagePrompts = [] } = options
  const processor = processorAt(scope, 'plain')
  // Before the query, as in `projections`.
  const images = imageKeys(scope, imagePrompts, heads * options.headDim)
  const [query, key, value] =
    processor.processor === 'FusedAttnProcessor2_0'
      ? fusedProjections(scope, hiddenStates, options)
      : projections(scope, hiddenStates, options, processor)
  if (mask) checkMask(scope, mask, key)
  const kernel = kernelOf(processor)
  const attended = withImages(kernel(query, key, value, heads, mask), query, images, kernel, heads)
  const out = hiddenStates.shape.at(-1)!
  return projection(scope, processor, ['to_out.0', 'to_out_custom_diffusion.0'], attended, out, outBias)
}

type Projected = [query: Value, key: Value, value: Value]

function projections(
  scope: Scope,
  hiddenStates: Value,
  { heads, headDim, encoderHiddenStates = hiddenStates, bias = false }: AttentionOptions,
  processor: AttnProcessor,
): Projected {
  const project = (name: string, x: Value): Value =>
    projection(scope, processor, [name, `${name}_custom_diffusion`], x, heads * headDim, bias)
  // The query last: of what a node needs, onnxruntime computes what was added last first. Otherwise it would begin with
  // the keys and values of all layers, which hang on the prompt alone, and hold them until their layer comes.
  const [key, value] = [project('to_k', encoderHiddenStates), project('to_v', encoderHiddenStates)]
  return [project('to_q', hiddenStates), key, value]
}

/** The layer of the model, or the one that Custom Diffusion trained in its place. */
function projection(
  scope: Scope,
  { processor }: AttnProcessor,
  [own, trained]: readonly [string, string],
  x: Value,
  out: number,
  bias: boolean,
): Value {
  const replacement = scope.at('processor', trained)
  if (attnProcessorTable[processor].argument !== 'weights' || !replacement.has('weight'))
    return linear(scope.at(own), x, out, { bias })
  // The model's own layer rests, but its keys have their place.
  scope.at(own).weight('weight', [out, x.shape.at(-1)!])
  if (bias) scope.at(own).weight('bias', [out])
  return linear(replacement, x, out, { bias: replacement.has('bias') })
}

/** One product for query, key and value, or for key and value where they come from elsewhere. */
function fusedProjections(
  scope: Scope,
  hiddenStates: Value,
  { heads, headDim, encoderHiddenStates, bias = false }: AttentionOptions,
): Projected {
  const inner = heads * headDim
  if (!encoderHiddenStates) return joinedLinear(scope, ['to_q', 'to_k', 'to_v'], hiddenStates, inner, bias) as Projected
  const [key, value] = joinedLinear(scope, ['to_k', 'to_v'], encoderHiddenStates, inner, bias) as [Value, Value]
  return [linear(scope.at('to_q'), hiddenStates, inner, { bias }), key, value]
}

function joinedLinear(scope: Scope, names: readonly string[], x: Value, out: number, bias: boolean): Value[] {
  const input = x.shape.at(-1)!
  const weight = concat(
    names.map((name) => scope.at(name).weight('weight', [out, input])),
    0,
  )
  const biases = bias
    ? [
        concat(
          names.map((name) => scope.at(name).weight('bias', [out])),
          0,
        ),
      ]
    : []
  const product = scope.emit('Gemm', [reshape(x, [-1, input]), weight, ...biases], { transB: 1 })
  const joined = reshape(product, [...x.shape.slice(0, -1), names.length * out])
  return split(
    joined,
    names.map(() => out),
    -1,
  ).map((part, i) => {
    const own = scope.at(names[i]!)
    return withLinearLoras(own, x, own.weight('weight', [out, input]), part)
  })
}

function checkMask(scope: Scope, mask: Value, key: Value): void {
  const [batch, length] = key.shape
  if (mask.shape[3] === length && (mask.shape[0] === 1 || mask.shape[0] === batch)) return
  const field = scope.path.endsWith('attn2') ? 'encoder_attention_mask' : 'attention_mask'
  throw new ProblemError(
    'bad-input',
    `${field} of shape ${showShape(mask.shape)} does not fit ${scope.path}, which looks at ${batch} rows of ${length} tokens`,
    { field },
  )
}
