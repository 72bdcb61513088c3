import { z } from 'zod'
import { ProblemError } from '#app/contract/errors.ts'

/** A token that is cut out of a text before it is split: as written, or, when `normalized`, after normalisation. */
export type SpecialToken = { content: string; normalized: boolean }

const tokenSchema = z.union([
  z.string().transform((content) => ({ content, normalized: false, single_word: false })),
  z.object({
    content: z.string(),
    normalized: z.boolean().default(false),
    // lstrip and rstrip only take spaces beside the token, which mean nothing to these tokenizers.
    single_word: z.boolean().default(false),
  }),
])

const namedTokens = ['bos_token', 'eos_token', 'unk_token', 'pad_token'] as const
type NamedToken = (typeof namedTokens)[number]

const optionalToken = tokenSchema.nullish().transform((token) => token ?? undefined)
const mapSchema = z.object({
  bos_token: optionalToken,
  eos_token: optionalToken,
  unk_token: optionalToken,
  pad_token: optionalToken,
  additional_special_tokens: z.array(tokenSchema).nullish(),
})
const configSchema = mapSchema.extend({
  tokenizer_class: z.string().nullish(),
  model_max_length: z.number().nullish(),
  extra_ids: z.int().min(0).max(100_000).nullish(),
  added_tokens_decoder: z.record(z.string(), tokenSchema).nullish(),
})

export type TokenizerConfig = {
  named: Partial<Record<NamedToken, SpecialToken>>
  /** All special tokens by their text; of two of the same text the later stands. */
  special: Map<string, SpecialToken>
  /** Ids that the config itself gives to added tokens. */
  addedIds: Map<string, number>
  maxLength: number | undefined
  extraIds: number | undefined
}

function parsed<S extends z.ZodType>(schema: S, text: string | undefined, file: string): z.output<S> | undefined {
  if (text === undefined) return undefined
  const refuse = (message: string, cause?: unknown) =>
    new ProblemError('bad-model', `${file}: ${message}`, { file, ...(cause === undefined ? {} : { cause }) })
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch (cause) {
    throw refuse(`is not JSON: ${(cause as Error).message}`, cause)
  }
  const result = schema.safeParse(json)
  if (result.success) return result.data
  const issue = result.error.issues[0]
  throw refuse(`${issue?.path.join('.') ?? ''}: ${issue?.message}`)
}

/**
 * The texts of tokenizer_config.json and special_tokens_map.json, as transformers 5 reads them: the map outranks the
 * config, unless the config lists its added tokens itself. Throws bad-model naming the file and the key.
 */
export function parseTokenizerConfig(
  configText: string | undefined,
  mapText: string | undefined,
  classes?: readonly string[],
): TokenizerConfig {
  const config = parsed(configSchema, configText, 'tokenizer_config.json')
  const map = config?.added_tokens_decoder ? undefined : parsed(mapSchema, mapText, 'special_tokens_map.json')
  const tokenizerClass = config?.tokenizer_class
  if (classes && tokenizerClass && !classes.includes(tokenizerClass))
    throw new ProblemError(
      'bad-model',
      `tokenizer_config.json: tokenizer_class is ${tokenizerClass}, but this model needs ${classes[0]}.`,
      { file: 'tokenizer_config.json', field: 'tokenizer_class' },
    )
  const added = Object.entries(config?.added_tokens_decoder ?? {})
  const byContent = new Map(added.map(([, token]) => [token.content, token]))
  const named: TokenizerConfig['named'] = {}
  const special = new Map<string, SpecialToken>()
  const add = (token: SpecialToken & { single_word: boolean }) => {
    if (token.single_word)
      throw new ProblemError(
        'bad-model',
        `The tokenizer's token ${token.content} asks for single_word, which is not supported.`,
      )
    special.set(token.content, { content: token.content, normalized: token.normalized })
  }
  for (const [, token] of added) add(token)
  for (const name of namedTokens) {
    const token = map?.[name] ?? config?.[name]
    if (!token) continue
    const stated = byContent.get(token.content) ?? token
    named[name] = stated
    add(stated)
  }
  for (const token of map?.additional_special_tokens ?? config?.additional_special_tokens ?? [])
    add(byContent.get(token.content) ?? token)
  const maxLength = config?.model_max_length ?? undefined
  return {
    named,
    special,
    addedIds: new Map(added.map(([id, token]) => [token.content, Number(id)])),
    // transformers writes 1e30 for "no limit".
    maxLength: maxLength !== undefined && Number.isInteger(maxLength) && maxLength < 1e6 ? maxLength : undefined,
    extraIds: config?.extra_ids ?? undefined,
  }
}

/** A text cut into special tokens and what lies between; the longest token wins where several begin. */
export function splitSpecial(text: string, tokens: readonly string[]): { text: string; special: boolean }[] {
  const used = tokens.filter((token) => token !== '').sort((a, b) => b.length - a.length)
  if (used.length === 0) return text === '' ? [] : [{ text, special: false }]
  const pattern = new RegExp(`(${used.map((token) => token.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')).join('|')})`, 'u')
  return text
    .split(pattern)
    .map((piece, i) => ({ text: piece, special: i % 2 === 1 }))
    .filter((piece) => piece.text !== '')
}
