import { promptAt } from '#app/contract/prompts/schedule.ts'
import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'
import { float32, int64, type Tensor } from '#app/tensor/tensor.ts'
import { promptChunks, type PromptChunk } from '#app/tokenizers/prompt-chunks.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { joinRows } from './guidance.ts'

type Floats = Tensor<'float32'>

/** What a text encoder makes of ids: states (1, L, D), and the state of the whole text (1, P) where it gives one. */
export type Encoded = { readonly states: Floats; readonly pooled?: Floats }

/**
 * A prompt to be read: what it is called in words, its text for each reader, and how many of the encoders' last layers
 * are left out for it. Without texts there are zeros in the place of what is read.
 */
export type PromptText = { readonly name: string; readonly texts: readonly string[] | null; readonly skip: number }

/** A text encoder with its tokenizer. */
export type PromptReader = {
  readonly tokenizer: Tokenizer
  readonly encode: (text: PromptText, ids: Tensor<'int64'>) => Promise<Encoded>
}

/** What the denoiser sees of the prompts at a step, counted from 0: one row for each prompt. */
export type ContextAt = (step: number) => Floats

/** The same at all steps, or not. */
export type Context = Floats | ContextAt

export const contextAt = (context: Context, step: number): Floats =>
  typeof context === 'function' ? context(step) : context

/** With each of its tensors changed. */
export const mapContext = (context: Context, change: (states: Floats) => Floats): Context =>
  typeof context === 'function' ? (step) => change(context(step)) : change(context)

/**
 * The states of prompts, (prompts, L, D): of plain words those that the encoder takes at once, as the reference reads
 * them; else of as many chunks as the longest prompt has, one after the other, and for each step where prompts change.
 * What several readers make of a prompt stands side by side; `pooled` (prompts, P) is the last reader's. The notes tell
 * what did not fit.
 */
export async function encodeTexts(
  texts: readonly PromptText[],
  how: { readers: readonly PromptReader[]; syntax: PromptSyntax; steps: number },
): Promise<{ context: Context; pooled?: Context; notes: string[] }> {
  const { readers, syntax, steps } = how
  const notes = new Set<string>()
  const turns =
    syntax === 'plain'
      ? [texts]
      : Array.from({ length: Math.max(1, steps) }, (_, step) =>
          texts.map((one) => ({ ...one, texts: one.texts && one.texts.map((text) => promptAt(text, step, steps)) })),
        )
  const chunksOf = readers.map(({ tokenizer }) => once((text: string) => promptChunks(tokenizer, text)))
  // All states in one tensor, so all are as long as the longest.
  const counts = turns.flat().map((one) => one.texts?.map((text, reader) => chunksOf[reader]!(text).length) ?? [1])
  const most = Math.max(...counts.flat())
  const readBy = async (one: PromptText, reader: number): Promise<Encoded> => {
    const { tokenizer } = readers[reader]!
    const encode: EncodeIds = (ids) => readers[reader]!.encode(one, int64([1, ids.length], ids))
    const text = one.texts![reader]!
    if (syntax !== 'plain') return weighted(padded(chunksOf[reader]!(text), most), tokenizer, encode)
    const { ids, truncated } = tokenizer.encodePrompt(text)
    if (truncated !== null) notes.add(textNote(one.name, tokenizer.maxLength, truncated))
    return encode(ids)
  }
  const known = new Map<string, Encoded>()
  const read = async (one: PromptText): Promise<Encoded> => {
    const key = JSON.stringify([one.skip, one.texts])
    const state = known.get(key) ?? sideBySide(await inOrder(readers, (_, reader) => readBy(one, reader)))
    known.set(key, state)
    return state
  }
  const made = new Map<string, Encoded>()
  const byStep: Encoded[] = []
  for (const turn of turns) {
    const key = JSON.stringify(turn)
    if (!made.has(key)) made.set(key, joined(await inOrder(turn, (one) => (one.texts ? read(one) : null))))
    byStep.push(made.get(key)!)
  }
  // A scheduler may take a step more than was asked for.
  const at = <T>(of: (encoded: Encoded) => T): T | ((step: number) => T) =>
    made.size === 1 ? of(byStep[0]!) : (step) => of(byStep[Math.min(step, byStep.length - 1)]!)
  return {
    context: at(({ states }) => states),
    ...(byStep[0]!.pooled && { pooled: at(({ pooled }) => pooled!) }),
    notes: [...notes],
  }
}

type EncodeIds = (ids: readonly number[]) => Promise<Encoded>

/** One after the other: encoders share the memory that they work in. */
async function inOrder<T, R>(all: readonly T[], make: (one: T, index: number) => R | Promise<R>): Promise<R[]> {
  const made: R[] = []
  for (const [index, one] of all.entries()) made.push(await make(one, index))
  return made
}

/** Rows one after the other; zeros for those that were not read. */
function joined(rows: readonly (Encoded | null)[]): Encoded {
  const one = rows.find((row) => row !== null)
  if (!one) throw new Error('there is no prompt to read')
  const all = rows.map((row) => row ?? { states: zerosLike(one.states), pooled: one.pooled && zerosLike(one.pooled) })
  return {
    states: joinRows(all.map(({ states }) => states)),
    ...(one.pooled && { pooled: joinRows(all.map(({ pooled }) => pooled!)) }),
  }
}

const zerosLike = ({ shape, data }: Floats): Floats => float32(shape, new Float32Array(data.length))

/** States (1, L, D1), (1, L, D2) ... as (1, L, D1 + D2 ...). */
function sideBySide(encoded: readonly Encoded[]): Encoded {
  if (encoded.length === 1) return encoded[0]!
  const length = encoded[0]!.states.shape[1]!
  const width = encoded.reduce((sum, { states }) => sum + states.shape[2]!, 0)
  const data = new Float32Array(length * width)
  let from = 0
  for (const { states } of encoded) {
    const own = states.shape[2]!
    for (let i = 0; i < length; i++) data.set(states.data.subarray(i * own, (i + 1) * own), i * width + from)
    from += own
  }
  const { pooled } = encoded.at(-1)!
  return { states: float32([1, length, width], data), ...(pooled && { pooled }) }
}

/** That the end of a text did not fit. */
export const textNote = (name: string, maxLength: number, truncated: string): string =>
  `The ${name} is longer than ${maxLength} tokens; this part was left out: ${beginning(truncated)}`

/** As much of a text as a message has room for. */
export const beginning = (text: string): string => (text.length > 100 ? `${text.slice(0, 100)}…` : text)

function once<T>(make: (text: string) => T): (text: string) => T {
  const made = new Map<string, T>()
  return (text) => {
    const known = made.get(text) ?? make(text)
    made.set(text, known)
    return known
  }
}

const padded = (chunks: readonly PromptChunk[], count: number): PromptChunk[] =>
  Array.from({ length: count }, (_, i) => chunks[i] ?? { ids: [], weights: [] })

/**
 * The chunks' states one after the other, (1, chunks * L, D), and the state of the first one's text. Weights multiply a
 * chunk's states, whose mean is then brought back to what it was; the state of the whole text they leave as it is.
 * Source: A1111's wiki, Features, "Attention"; its sd_emphasis.py, "Original", and forward of its sd_hijack_clip.py,
 * which gives the pooled state of the first chunk.
 */
async function weighted(chunks: readonly PromptChunk[], tokenizer: Tokenizer, encode: EncodeIds): Promise<Encoded> {
  const encoded = await inOrder(chunks, async ({ ids, weights }) => {
    const { states, pooled } = await encode(tokenizer.frame(ids).ids)
    return { states: weights.some((weight) => weight !== 1) ? emphasized(states, weights) : states, pooled }
  })
  const [{ states: first, pooled }] = encoded as [Encoded]
  const [, length, width] = first.shape as [number, number, number]
  const { data } = joinRows(encoded.map(({ states }) => states))
  return { states: float32([1, encoded.length * length, width], data), ...(pooled && { pooled }) }
}

/** The first row is the start token's. */
function emphasized({ shape, data }: Floats, weights: readonly number[]): Floats {
  const width = shape[2]!
  const changed = data.map((value, i) => value * (weights[Math.floor(i / width) - 1] ?? 1))
  const [before, after] = [data, changed].map((values) => values.reduce((sum, value) => sum + value, 0)) as [
    number,
    number,
  ]
  return float32(shape, after === 0 ? changed : changed.map((value) => (value * before) / after))
}
