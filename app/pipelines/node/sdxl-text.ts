import { ProblemError } from '#app/contract/errors.ts'
import type { LoadedModel } from '#app/loaded/loaded-model.ts'
import type { clipTextModel, clipTextModelWithProjection } from '#app/models/clip-text.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import type { Tensor } from '#app/tensor/tensor.ts'
import { withWords, type Tokenizer } from '#app/tokenizers/tokenizer.ts'
import type { SdxlText } from '../sdxl-prompt.ts'
import type { AddedWords } from './embeddings.ts'

/** A text encoder with its tokenizer, and the words that textual inversions add to them. */
type Encoder<M extends typeof clipTextModel | typeof clipTextModelWithProjection> = {
  readonly model: LoadedModel<M>
  readonly tokenizer: Tokenizer
  readonly words: AddedWords
}

/** Stable Diffusion XL's text encoders as a function of tensors. */
export function sdxlText(
  first: Encoder<typeof clipTextModel>,
  second: Encoder<typeof clipTextModelWithProjection>,
  forceZeros: boolean,
): SdxlText {
  const args = { output_hidden_states: true }
  return {
    tokenizers: [withWords(first.tokenizer, first.words.words), withWords(second.tokenizer, second.words.words)],
    forceZeros,
    async encode(encoder, ids, clipSkip) {
      if (encoder === 0) {
        const outputs = await first.model.run('forward', first.words.inputs(ids), args)
        return { states: stateBefore(outputs, first.model, clipSkip) }
      }
      const outputs = await second.model.run('forward', second.words.inputs(ids), args)
      return { states: stateBefore(outputs, second.model, clipSkip), pooled: toFloat32(outputs.text_embeds) }
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
