import { InvalidArgumentError } from 'commander'
import { ProblemError } from '#app/contract/errors.ts'
import { defaultFreeInit, freeInitMethods, type FreeInit } from '#app/contract/free-init.ts'
import {
  defaultLongClips,
  noiseTypes,
  weightingSchemes,
  type LongClip,
  type LongClipKind,
  type SplitInference,
} from '#app/contract/long-clips.ts'
import { integer, number } from './parse.ts'

/** Strict parsers of what is said about clips, as those of parse.ts. */

const fail = (message: string): never => {
  throw new InvalidArgumentError(message)
}

const oneOf =
  <const Names extends readonly string[]>(names: Names) =>
  (text: string): Names[number] =>
    names.find((name) => name === text) ?? fail(`“${text}” must be one of ${names.join(', ')}.`)

/** What stands behind the first word of `word,key=value,key=value`; a key without a value has an empty one. */
function settingsOf<T>(
  parts: readonly string[],
  readers: Readonly<Record<string, (value: string) => Partial<T>>>,
): Partial<T> {
  return parts.reduce<Partial<T>>((all, part) => {
    const [key, value = ''] = part.split('=') as [string, string?]
    const read = Object.hasOwn(readers, key) ? readers[key]! : undefined
    return read ? { ...all, ...read(value) } : fail(`“${key}” must be one of ${Object.keys(readers).join(', ')}.`)
  }, {})
}

const frames = integer(1, 128)

/** freenoise, uniform, overlapped or looped, and settings: uniform,length=16,stride=12,weighting=flat. */
export function longClip(text: string): LongClip | null {
  const [word = '', ...parts] = text.split(',').map((part) => part.trim())
  if (word === 'off' && parts.length === 0) return null
  const kind = oneOf(Object.keys(defaultLongClips) as LongClipKind[])(word)
  const settings = settingsOf<LongClip & { noiseType: string }>(parts, {
    length: (value) => ({ contextLength: frames(value) }),
    stride: (value) => ({ contextStride: frames(value) }),
    weighting: (value) => ({ weightingScheme: oneOf(weightingSchemes)(value) }),
    ...(kind === 'freenoise' && { noise: (value: string) => ({ noiseType: oneOf(noiseTypes)(value) }) }),
  })
  return { ...defaultLongClips[kind], ...settings } as LongClip
}

/** PIXELS,FRAMES. */
export function splitInference(text: string): SplitInference | null {
  if (text === 'off') return null
  const [, pixels, frames] = /^(\d+),(\d+)$/.exec(text) ?? fail('It must be PIXELS,FRAMES, such as 256,16, or off.')
  return { spatialSplitSize: integer(1, 65_536)(pixels!), temporalSplitSize: integer(1, 1024)(frames!) }
}

const part = number(0, 1)

/** The number of rounds, and settings: 3,method=gaussian,spatial=0.25,fast. */
export function freeInit(text: string): FreeInit | null {
  const [word = '', ...parts] = text.split(',').map((piece) => piece.trim())
  if (word === 'off' && parts.length === 0) return null
  const settings = settingsOf<FreeInit>(parts, {
    fast: (value) => (value === '' ? { useFastSampling: true } : fail('“fast” must have no value.')),
    method: (value) => ({ method: oneOf(freeInitMethods)(value) }),
    order: (value) => ({ order: integer(1, 32)(value) }),
    spatial: (value) => ({ spatialStopFrequency: part(value) }),
    temporal: (value) => ({ temporalStopFrequency: part(value) }),
  })
  return { ...defaultFreeInit, numIters: integer(1, 10)(word), ...settings }
}

const refuse = (message: string): never => {
  throw new ProblemError('bad-input', message, { field: 'prompt' })
}

/** One prompt as it stands; of several each begins with its frame, `16: a dog`, and one with frame 0. */
export function prompts(texts: readonly string[]): {
  prompt: string
  laterPrompts?: { frame: number; prompt: string }[]
} {
  if (texts.length === 1) return { prompt: texts[0]! }
  const all = texts.map((text) => {
    const [, frame, prompt] =
      /^\s*(\d+)\s*:\s*(.*)$/s.exec(text) ??
      refuse(`Of several prompts each must begin with its frame, such as "16: a dog"; “${text}” does not.`)
    return { frame: Number(frame), prompt: prompt! }
  })
  const first =
    all.find(({ frame }) => frame === 0) ?? refuse('One of several prompts must be for frame 0, such as "0: a cat".')
  return { prompt: first.prompt, laterPrompts: all.filter((one) => one !== first) }
}
