import type { ModelEntry } from '../models.ts'
import type { LoraChoice } from '../settings.ts'
import type { PromptSyntax } from './syntax.ts'
import { wordPattern } from './words.ts'

const loraTag = /<(?:lora|lyco):([^:<>]+)(?::\s*([+-]?\d*\.?\d+)\s*)?(?::[^<>]*)?>/gi
const embeddingName = /\bembedding:([\w.-]+)/gi

type Named = {
  readonly loras: readonly { readonly name: string; readonly scale: number }[]
  readonly embeddings: readonly string[]
}

/** The LoRAs that a prompt names as `<lora:name:0.8>`, and the embeddings that it names as `embedding:name`. */
export const namesIn = (prompt: string): Named => ({
  loras: [...prompt.matchAll(loraTag)].map(([, name, scale]) => ({ name: name!.trim(), scale: Number(scale ?? 1) })),
  embeddings: [...prompt.matchAll(embeddingName)].map(([, name]) => name!.replace(/[.]+$/, '')),
})

/** The prompt as it is read: a LoRA's name is no word of it. */
export const withoutLoras = (prompt: string): string => prompt.replaceAll(loraTag, '')

export type PromptSettings = {
  readonly prompt: string
  readonly negativePrompt: string
  /** Of a second text encoder. */
  readonly prompt2?: string
  readonly negativePrompt2?: string
  readonly promptSyntax: PromptSyntax
  /** Of a clip whose prompts change. */
  readonly laterPrompts?: readonly { readonly prompt: string }[]
  readonly loras: readonly LoraChoice[]
  readonly embeddings: readonly string[]
}

/** The last part of a name, without the extension that some write. */
const plainName = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\.(safetensors|pt|bin|ckpt|pth)$/, '')
    .replace(/^.*[\\/]/, '')

const called = (models: readonly ModelEntry[], kind: ModelEntry['kind'], name: string): ModelEntry | undefined => {
  const all = models.filter((model) => model.kind === kind && !model.problem)
  const wanted = plainName(name)
  return (
    all.find(({ id }) => id === name) ??
    all.find((model) => plainName(model.name) === wanted || model.token?.toLowerCase() === wanted)
  )
}

/**
 * Settings with the LoRAs and embeddings that their prompts name, where prompts are read so: `<lora:name:0.8>` sets the
 * scale of one that is chosen already. Embeddings are also named by their token alone. Names that are nobody's are left
 * to `unknownNames`.
 */
export function withNamed<S extends object>(settings: S, models: readonly ModelEntry[]): S {
  if (!hasPrompts(settings) || settings.promptSyntax === 'plain') return settings
  const texts = textsOf(settings)
  const named = texts.map(namesIn)
  const loras = [...settings.loras]
  for (const { name, scale } of named.flatMap((one) => one.loras)) {
    const model = called(models, 'lora', name)
    if (!model) continue
    const at = loras.findIndex(({ id }) => id === model.id)
    loras.splice(at < 0 ? loras.length : at, at < 0 ? 0 : 1, { id: model.id, scale: limited(scale) })
  }
  const byName = named.flatMap((one) => one.embeddings).flatMap((name) => called(models, 'embedding', name) ?? [])
  const byToken = models.filter(
    ({ kind, token, problem }) =>
      kind === 'embedding' &&
      token &&
      !problem &&
      texts.some((text) => new RegExp(wordPattern(token), 'iu').test(text)),
  )
  const embeddings = [...new Set([...settings.embeddings, ...[...byName, ...byToken].map(({ id }) => id)])]
  return { ...settings, loras, embeddings }
}

const limited = (scale: number): number => Math.min(10, Math.max(-10, scale))

/** What prompts name and no model is called. */
export function unknownNames(settings: object, models: readonly ModelEntry[]): string[] {
  if (!hasPrompts(settings) || settings.promptSyntax === 'plain') return []
  const missing = (text: string): string[] => {
    const { loras, embeddings } = namesIn(text)
    return [
      ...loras.filter(({ name }) => !called(models, 'lora', name)).map(({ name }) => `the LoRA “${name}”`),
      ...embeddings.filter((name) => !called(models, 'embedding', name)).map((name) => `the embedding “${name}”`),
    ]
  }
  return [...new Set(textsOf(settings).flatMap(missing))]
}

const textsOf = (settings: PromptSettings): string[] => {
  const { prompt, negativePrompt, prompt2 = '', negativePrompt2 = '', laterPrompts = [] } = settings
  return [prompt, negativePrompt, prompt2, negativePrompt2, ...laterPrompts.map((later) => later.prompt)]
}

const hasPrompts = (settings: object): settings is PromptSettings =>
  'promptSyntax' in settings && 'embeddings' in settings && 'loras' in settings && 'prompt' in settings
