import type { Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { during, type DiffusionRequest } from './diffusion.ts'
import { encodeTexts, type Context, type Encoded, type PromptReader } from './prompts.ts'

/** Stable Diffusion XL's two text encoders, each with its tokenizer. */
export type SdxlText = {
  readonly tokenizers: readonly [Tokenizer, Tokenizer]
  /**
   * Token ids (1, L) -> the states (1, L, D) before the last `clipSkip + 1` layers of an encoder, without its final
   * norm; and of the second one also the projected state of the whole text, (1, P).
   */
  readonly encode: (encoder: 0 | 1, ids: Tensor<'int64'>, clipSkip: number) => Promise<Encoded>
  /** Without a negative prompt there are zeros in its place, and not the states of an empty text. */
  readonly forceZeros: boolean
}

/** Without a text for the second encoder it has that of the first. */
export type SdxlPrompt = {
  readonly prompt: string
  readonly prompt2: string | null
  readonly negativePrompt: string | null
  readonly negativePrompt2: string | null
}

/** What is read of texts. */
export type SdxlEncoded = {
  /** (rows, L, D1 + D2) */
  readonly context: Context
  /** (rows, P) */
  readonly pooled: Context
}

/**
 * Context and pooled states of prompts: under guidance the negative prompts' rows, then the prompts'. `clipSkip` is for
 * the prompts alone. The notes tell what did not fit.
 * Source: encode_prompt of diffusers/src/diffusers/pipelines/stable_diffusion_xl/pipeline_stable_diffusion_xl.py
 * @58eb52c, which AnimateDiffSDXLPipeline has too.
 */
export async function encodeSdxlPrompts(
  { tokenizers, encode, forceZeros }: SdxlText,
  prompts: readonly SdxlPrompt[],
  {
    clipSkip,
    guided,
    promptSyntax = 'plain',
    numInferenceSteps,
  }: Pick<DiffusionRequest, 'clipSkip' | 'promptSyntax' | 'numInferenceSteps'> & { readonly guided: boolean },
): Promise<SdxlEncoded & { readonly notes: string[] }> {
  const negative = ({ negativePrompt, negativePrompt2 }: SdxlPrompt): string[] | null => {
    const text = negativePrompt ?? ''
    return negativePrompt === null && forceZeros ? null : [text, negativePrompt2 ?? text]
  }
  const texts = [
    ...(guided ? prompts.map((one) => ({ name: 'negative prompt', texts: negative(one), skip: 0 })) : []),
    ...prompts.map(({ prompt, prompt2 }) => ({
      name: 'prompt',
      texts: [prompt, prompt2 ?? prompt],
      skip: clipSkip ?? 0,
    })),
  ]
  const readers = ([0, 1] as const).map((encoder): PromptReader => ({
    tokenizer: tokenizers[encoder],
    encode: ({ name, skip }, ids) => during(`The ${name}`, encode(encoder, ids, skip)),
  }))
  const { pooled, ...read } = await encodeTexts(texts, { readers, syntax: promptSyntax, steps: numInferenceSteps })
  return { ...read, pooled: pooled! }
}
