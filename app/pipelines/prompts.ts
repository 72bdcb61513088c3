import { promptAt } from '#app/contract/prompts/schedule.ts'
import type { PromptSyntax } from '#app/contract/prompts/syntax.ts'
import { float32, int64, type Tensor } from '#app/tensor/tensor.ts'
import { promptChunks, type PromptChunk } from '#app/tokenizers/prompt-chunks.ts'
import type { Tokenizer } from '#app/tokenizers/tokenizer.ts'
import { joinRows } from './guidance.ts'

type Floats = Tensor<'float32'>

/** A prompt to be read, what it is called in words, and how many of the encoder's last layers are left out for it. */
export type PromptText = { readonly name: string; readonly text: string; readonly skip: number }

type Encode = (text: PromptText, ids: Tensor<'int64'>) => Promise<Floats>

/** What the denoiser sees of the prompts at a step, counted from 0: (prompts, tokens, D). */
export type ContextAt = (step: number) => Floats

/** The same at all steps, or not. */
export type Context = Floats | ContextAt

/** With each of its tensors changed. */
export const mapContext = (context: Context, change: (states: Floats) => Floats): Context =>
  typeof context === 'function' ? (step) => change(context(step)) : change(context)

/**
 * The states of prompts, (prompts, L, D): of plain words those that the encoder takes at once, as the reference reads
 * them; else of as many chunks as the longest prompt has, one after the other, and for each step where prompts change.
 * The notes tell what did not fit.
 */
export async function encodeTexts(
  texts: readonly PromptText[],
  { tokenizer, encode, syntax, steps }: { tokenizer: Tokenizer; encode: Encode; syntax: PromptSyntax; steps: number },
): Promise<{ context: Context; notes: string[] }> {
  const notes: string[] = []
  if (syntax === 'plain') {
    const states: Floats[] = []
    for (const one of texts) {
      const { ids, truncated } = tokenizer.encodePrompt(one.text)
      if (truncated !== null) notes.push(textNote(one.name, tokenizer.maxLength, truncated))
      states.push(await encode(one, int64([1, ids.length], ids)))
    }
    return { context: joinRows(states), notes }
  }
  const turns = Array.from({ length: Math.max(1, steps) }, (_, step) =>
    texts.map((one) => ({ ...one, text: promptAt(one.text, step, steps) })),
  )
  const chunksOf = once((text: string) => promptChunks(tokenizer, text))
  // All states in one tensor, so all are as long as the longest.
  const most = Math.max(...turns.flat().map(({ text }) => chunksOf(text).length))
  const known = new Map<string, Floats>()
  const stateOf = async (one: PromptText): Promise<Floats> => {
    const key = JSON.stringify([one.skip, one.text])
    const state = known.get(key) ?? (await weighted(one, padded(chunksOf(one.text), most), tokenizer, encode))
    known.set(key, state)
    return state
  }
  const contexts = new Map<string, Floats>()
  const byStep: Floats[] = []
  for (const turn of turns) {
    const key = JSON.stringify(turn)
    if (!contexts.has(key)) {
      const states: Floats[] = []
      for (const one of turn) states.push(await stateOf(one))
      contexts.set(key, joinRows(states))
    }
    byStep.push(contexts.get(key)!)
  }
  if (contexts.size === 1) return { context: byStep[0]!, notes }
  // A scheduler may take a step more than was asked for.
  return { context: (step) => byStep[Math.min(step, byStep.length - 1)]!, notes }
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
 * The chunks' states side by side, (1, chunks * L, D). Weights multiply a chunk's states, whose mean is then brought
 * back to what it was. Source: A1111's wiki, Features, "Attention"; its sd_emphasis.py, "Original".
 */
async function weighted(
  one: PromptText,
  chunks: readonly PromptChunk[],
  tokenizer: Tokenizer,
  encode: Encode,
): Promise<Floats> {
  const states: Floats[] = []
  for (const { ids, weights } of chunks) {
    const framed = tokenizer.frame(ids).ids
    const state = await encode(one, int64([1, framed.length], framed))
    states.push(weights.some((weight) => weight !== 1) ? emphasized(state, weights) : state)
  }
  const [, length, width] = states[0]!.shape as [number, number, number]
  const { data } = joinRows(states)
  return float32([1, states.length * length, width], data)
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
