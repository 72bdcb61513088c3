import { statSync } from 'node:fs'
import type { MediaRef } from '#app/contract/media-refs.ts'
import type { MixItem } from '#app/contract/mix.ts'
import { option, type FieldOption } from './field-option.ts'
import { findModel } from './find-model.ts'
import * as parse from './parse.ts'

type Mixed = ReturnType<typeof parse.mixed>

/** Options of what a prior makes embeddings of, and of the models behind it. */
export const mixOptions: readonly FieldOption[] = [
  {
    option: option('--prior <id>', 'the prior that makes embeddings (default: the first that fits the model)'),
    fields: ['prior'],
    find: (wanted: string, models) => ({ prior: wanted === 'none' ? null : findModel(models, 'prior', wanted).id }),
  },
  {
    option: option(
      '--mix <text|file[:weight]>',
      'mix in a text, a picture or an embedding (.safetensors), with a weight (can be given more than once)',
    ).argParser((text: string, all: Mixed[] | undefined) => [...(all ?? []), parse.mixed(text)]),
    fields: ['mix'],
    files: (mix: readonly Mixed[]) => mix.map(({ what }) => what).filter(isMixedFile),
    media: (refs, mix: readonly Mixed[]) => ({ mix: mixOf(refs, mix) }),
  },
  {
    option: option('--prompt-weight <n>', 'how much of the mix the prompt is (default: 1)').argParser(
      parse.number(-10, 10),
    ),
    fields: ['promptWeight'],
  },
  {
    option: option('--prior-steps <n>', 'number of steps of the prior').argParser(parse.integer(2, 1000)),
    fields: ['priorSteps'],
  },
  {
    option: option('--prior-guidance <scale>', 'how closely the prior follows a text').argParser(parse.number(0, 100)),
    fields: ['priorGuidanceScale'],
  },
  {
    option: option('--super-res-steps <n>', 'number of steps that make a small picture larger').argParser(
      parse.integer(2, 1000),
    ),
    fields: ['superResSteps'],
  },
]

const isEmbeddingFile = (what: string): boolean => /\.safetensors$/i.test(what)

/** What is there as a file, or is called like one: whoever names it means that, and hears where there is none. */
const isMixedFile = (what: string): boolean =>
  isEmbeddingFile(what) ||
  /\.(png|jpe?g|webp|gif)$/i.test(what) ||
  (statSync(what, { throwIfNoEntry: false })?.isFile() ?? false)

function mixOf(refs: readonly MediaRef[], mix: readonly Mixed[]): MixItem[] {
  const files = [...refs]
  return mix.map(({ what, weight }) => {
    if (!isMixedFile(what)) return { kind: 'text', text: what, weight }
    return { kind: isEmbeddingFile(what) ? 'embedding' : 'picture', media: files.shift()!, weight }
  })
}
