import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'
import { createClipTokenizer } from '../clip.ts'
import { createHuggingFaceTokenizer } from '../hugging-face.ts'
import type { Tokenizer } from '../tokenizer.ts'

/**
 * A tokenizer folder: vocab.json and merges.txt, or a tokenizer.json alone. `padToken` replaces the folder's own:
 * Stable Diffusion 2.x and the second encoder of XL were trained with another than 1.x, over the same vocabulary.
 */
export async function openClipTokenizer(folder: string, { padToken }: { padToken?: string } = {}): Promise<Tokenizer> {
  const [vocab, merges, ownConfig, ownMap, tokenizer] = await Promise.all(
    ['vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json', 'tokenizer.json'].map((name) =>
      textOf(join(folder, name)),
    ),
  )
  const tokenizerConfig = padToken === undefined ? ownConfig : withPadToken(ownConfig, padToken)
  const specialTokensMap = padToken === undefined || ownMap === undefined ? ownMap : withPadToken(ownMap, padToken)
  if (vocab !== undefined && merges !== undefined)
    return createClipTokenizer({ vocab, merges, tokenizerConfig, specialTokensMap })
  if (tokenizer !== undefined && tokenizerConfig !== undefined)
    return createHuggingFaceTokenizer({ tokenizer, tokenizerConfig })
  throw new ProblemError(
    'bad-model',
    `${folder} has no tokenizer: vocab.json and merges.txt, or tokenizer.json, are missing`,
    { file: folder },
  )
}

const settingsSchema = z.record(z.string(), z.unknown())

function withPadToken(text: string | undefined, padToken: string): string {
  const settings = settingsSchema.safeParse(text === undefined ? {} : parsed(text))
  // What is no JSON object is refused by the tokenizer itself, with the file's name.
  return settings.success ? JSON.stringify({ ...settings.data, pad_token: padToken }) : text!
}

const vocabularySchema = z.union([
  z.record(z.string(), z.int()),
  z.object({ model: z.object({ vocab: z.record(z.string(), z.int()) }) }).transform(({ model }) => model.vocab),
])

/** How many tokens the tokenizer of a folder knows; undefined when there is none that can be read. */
export async function vocabularySize(folder: string): Promise<number | undefined> {
  for (const name of ['vocab.json', 'tokenizer.json']) {
    const vocabulary = vocabularySchema.safeParse(parsed((await textOf(join(folder, name))) ?? ''))
    if (vocabulary.success) return Object.keys(vocabulary.data).length
  }
  return undefined
}

/**
 * The tokenizer folder for a single-file checkpoint, which carries none: beside the file, in a folder `tokenizer`
 * beside it, the one of another model that `others` names, or the bundled one of OpenAI's CLIP, whose vocabulary has
 * the size of the text encoder's.
 */
export async function findTokenizer(
  file: string,
  size: number,
  others: readonly string[] = [],
): Promise<string | undefined> {
  const resources = process.env['FRAMELOOM_RESOURCES']
  const bundled = resources === undefined ? [] : [join(resources, 'clip-tokenizer')]
  for (const folder of [join(dirname(file), 'tokenizer'), dirname(file), ...others, ...bundled])
    if ((await vocabularySize(folder)) === size) return folder
  return undefined
}

export const noTokenizer = (file: string, size: number): ProblemError =>
  new ProblemError(
    'bad-model',
    `${file} is a single file, and those carry no tokenizer. Put vocab.json and merges.txt of a CLIP tokenizer with ${size} tokens (for Stable Diffusion: those of openai/clip-vit-large-patch14) into ${join(dirname(file), 'tokenizer')}, or keep any Stable Diffusion folder among your models: its tokenizer is used then.`,
    { file },
  )

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw new ProblemError('bad-model', `${file} cannot be read`, { file, cause: error })
  }
}
