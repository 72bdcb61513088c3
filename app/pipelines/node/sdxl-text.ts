import { ProblemError } from '#app/contract/errors.ts'
import type { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { clipTextModel, clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import type { SdxlText } from '../sdxl-prompt.ts'

/** Stable Diffusion XL's text encoders as a function of tensors. */
export function sdxlText(
  [first, second]: readonly [LoadedModel<typeof clipTextModel>, LoadedModel<typeof clipTextModelWithProjection>],
  tokenizers: readonly [Tokenizer, Tokenizer],
  forceZeros: boolean,
): SdxlText {
  return {
    tokenizers,
    forceZeros,
    async encode(encoder, ids, clipSkip) {
      const [inputs, args] = [{ input_ids: ids }, { output_hidden_states: true }]
      if (encoder === 0) return { states: stateBefore(await first.run('forward', inputs, args), first, clipSkip) }
      const outputs = await second.run('forward', inputs, args)
      return { states: stateBefore(outputs, second, clipSkip), pooled: toFloat32(outputs.text_embeds) }
    },
  }
}

/** "hidden_states[-(clip_skip + 2)]": what goes into the last layer, or into one of those before it. */
function stateBefore(
  outputs: Readonly<Partial<Record<`hidden_states.${number}`, Tensor>>>,
  { config }: { readonly config: { readonly num_hidden_layers: number } },
  clipSkip: number,
): Tensor<'float32'> {
  const state = outputs[`hidden_states.${config.num_hidden_layers - 1 - clipSkip}`]
  if (state) return toFloat32(state)
  throw new ProblemError(
    'bad-input',
    `clip skip ${clipSkip} leaves out more than the ${config.num_hidden_layers} layers of a text encoder`,
    { field: 'clipSkip' },
  )
}
