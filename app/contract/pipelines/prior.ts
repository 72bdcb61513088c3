import type { ModelEntry } from '../models.ts'
import type { MixItem } from '../mix.ts'
import { fields, type Fields } from './fields.ts'
import { badInput, type FieldProblem, type MediaRole } from './pipeline.ts'

/** What every pipeline that makes an embedding lets a user choose. */
export const mixFields = {
  prompt: fields.prompt,
  promptWeight: fields.promptWeight,
  mix: fields.mix,
  negativePrompt: fields.negativePrompt,
  priorSteps: fields.priorSteps,
  priorGuidanceScale: fields.priorGuidanceScale,
  seed: fields.seed,
}
export type MixSettings = Pick<Fields, keyof typeof mixFields>

const refsOf = (kind: 'picture' | 'embedding') => (settings: MixSettings) =>
  settings.mix.flatMap((item) => (item.kind === kind && item.media ? [item.media] : []))

const mixIn = 'Mix it in'

/** The pictures and embeddings of a mix, as the media of a record. */
export const mixMedia = <S extends MixSettings>(): Readonly<Record<'pictures' | 'embeddings', MediaRole<S>>> => ({
  pictures: {
    takes: 'still',
    field: 'mix',
    use: mixIn,
    optional: true,
    refs: refsOf('picture'),
    put: (settings, media) => ({ ...settings, mix: [...settings.mix, { kind: 'picture', media, weight: 1 }] }),
  },
  embeddings: {
    takes: 'embedding',
    field: 'mix',
    use: mixIn,
    optional: true,
    refs: refsOf('embedding'),
    put: (settings, media) => ({ ...settings, mix: [...settings.mix, { kind: 'embedding', media, weight: 1 }] }),
  },
})

/** Whether a prior has something to say: a text that is sampled, or a picture that its image encoder reads. */
export const asksPrior = (settings: MixSettings): boolean =>
  itemsOf(settings).some(({ kind }) => kind !== 'embedding') || settings.negativePrompt.trim() !== ''

/** The items of a mix, the prompt first. */
export const itemsOf = ({ prompt, promptWeight, mix }: MixSettings): MixItem[] => [
  ...(prompt.trim() === '' && mix.length > 0 ? [] : [{ kind: 'text' as const, text: prompt, weight: promptWeight }]),
  ...mix,
]

/** Whether a prompt is all there is: then it is sampled together with what it shall not be. */
export const isPlainPrompt = ({ promptWeight, mix }: MixSettings): boolean => mix.length === 0 && promptWeight === 1

/** How often a prior samples: once for each text, and in a mix once more for what a picture is guided away from. */
export function priorRuns(settings: MixSettings): number {
  if (isPlainPrompt(settings)) return 1
  const texts = itemsOf(settings).filter(({ kind }) => kind === 'text').length
  return texts + (settings.negativePrompt.trim() === '' ? 0 : 1)
}

/** What a result of such settings is called. */
export const mixTitle = ({ prompt, mix }: Pick<MixSettings, 'prompt' | 'mix'>): string =>
  [
    ...(prompt ? [prompt] : []),
    ...mix.map((item) => (item.kind === 'text' ? item.text : (item.media?.name ?? ''))),
  ].join(' + ')

/** What does not fit of a mix, whatever is made of it. */
export function checkMix(settings: MixSettings): FieldProblem[] {
  const problems: FieldProblem[] = []
  if (itemsOf(settings).every(({ weight }) => weight === 0))
    problems.push(badInput('mix', 'All weights are 0: nothing is left to be mixed.'))
  if (settings.mix.some((item) => (item.kind === 'text' ? item.text.trim() === '' : item.media === null)))
    problems.push(badInput('mix', 'Something that is to be mixed in is not chosen yet: choose it, or remove it.'))
  if (settings.negativePrompt.trim() !== '' && settings.priorGuidanceScale <= 1)
    problems.push(
      badInput('priorGuidanceScale', 'At 1 and below guidance of the prior is off, and there is a negative prompt.'),
    )
  return problems
}

/** Embeddings of a prior that a decoder was not trained on are refused. */
export function checkWidth(prior: ModelEntry | undefined, decoder: ModelEntry | undefined): FieldProblem[] {
  if (!prior || !decoder || prior.embeddingDim === decoder.embeddingDim) return []
  const message = `${prior.name} makes embeddings of ${prior.embeddingDim} numbers, and ${decoder.name} reads ${decoder.embeddingDim}: they do not belong together.`
  return [badInput('prior', message)]
}
