import type { DiffusionSettings } from '#app/contract/pipelines/stable-diffusion.ts'
import { float32, int64, type Tensor } from '#app/tensor/tensor.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { during } from './diffusion.ts'
import { joinRows } from './guidance.ts'
import { textNote } from './prompts.ts'

type Floats = Tensor<'float32'>

/** Stable Diffusion XL's two text encoders, each with its tokenizer. */
export type SdxlText = {
  readonly tokenizers: readonly [Tokenizer, Tokenizer]
  /**
   * Token ids (1, L) -> the states (1, L, D) before the last `clipSkip + 1` layers of an encoder, without its final
   * norm; and of the second one also the projected state of the whole text, (1, P).
   */
  readonly encode: (
    encoder: 0 | 1,
    ids: Tensor<'int64'>,
    clipSkip: number,
  ) => Promise<{ readonly states: Floats; readonly pooled?: Floats }>
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

/** What is read of a text, or of one row for each of several. */
export type SdxlEncoded = {
  /** (rows, L, D1 + D2) */
  readonly context: Floats
  /** (rows, P) */
  readonly pooled: Floats
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
  { clipSkip, guided }: Pick<DiffusionSettings, 'clipSkip'> & { readonly guided: boolean },
): Promise<SdxlEncoded & { readonly notes: string[] }> {
  const notes: string[] = []
  const read = async (name: string, texts: readonly [string, string], skip: number): Promise<SdxlEncoded> => {
    const [first, second] = [await readBy(0), await readBy(1)]
    return { context: sideBySide(first.states, second.states), pooled: second.pooled! }

    async function readBy(encoder: 0 | 1) {
      const tokenizer = tokenizers[encoder]
      const { ids, truncated } = tokenizer.encodePrompt(texts[encoder])
      const note = truncated === null ? undefined : textNote(name, tokenizer.maxLength, truncated)
      if (note !== undefined && !notes.includes(note)) notes.push(note)
      return during(`The ${name}`, encode(encoder, int64([1, ids.length], ids), skip))
    }
  }

  const positive: SdxlEncoded[] = []
  const negative: SdxlEncoded[] = []
  for (const { prompt, prompt2, negativePrompt, negativePrompt2 } of prompts) {
    const states = await read('prompt', [prompt, prompt2 ?? prompt], clipSkip ?? 0)
    positive.push(states)
    if (!guided) continue
    const text = negativePrompt ?? ''
    negative.push(
      negativePrompt === null && forceZeros
        ? { context: zerosLike(states.context), pooled: zerosLike(states.pooled) }
        : await read('negative prompt', [text, negativePrompt2 ?? text], 0),
    )
  }
  const all = [...negative, ...positive]
  return {
    context: joinRows(all.map(({ context }) => context)),
    pooled: joinRows(all.map(({ pooled }) => pooled)),
    notes,
  }
}

const zerosLike = ({ shape, data }: Floats): Floats => float32(shape, new Float32Array(data.length))

/** (1, L, D1) and (1, L, D2) as (1, L, D1 + D2). */
function sideBySide(first: Floats, second: Floats): Floats {
  const [length, one, two] = [first.shape[1]!, first.shape[2]!, second.shape[2]!]
  const data = new Float32Array(length * (one + two))
  for (let i = 0; i < length; i++) {
    data.set(first.data.subarray(i * one, (i + 1) * one), i * (one + two))
    data.set(second.data.subarray(i * two, (i + 1) * two), i * (one + two) + one)
  }
  return float32([1, length, one + two], data)
}
