import { z } from 'zod'
import { fields } from '../pipelines/fields.ts'
import { promptSyntaxes } from './syntax.ts'

/** Texts that are to be counted as a run would read them. */
export const tokenQuestionSchema = z.object({
  /** The model that the tokenizer belongs to. */
  model: fields.model,
  texts: z.array(fields.prompt).max(80),
  syntax: z.enum(promptSyntaxes),
  /** Of the run: a prompt may change from one to the next. */
  steps: fields.numInferenceSteps,
  /** Tokens that are read at once, special ones included; null for as many as the tokenizer has as its longest. */
  maxLength: fields.maxSequenceLength,
  /** Whether captions are cleaned before they are read; null where the pipeline takes texts as they are. */
  cleanCaption: z.boolean().nullable(),
  /** Textual inversions whose words the texts may use. */
  embeddings: fields.embeddings,
})
export type TokenQuestion = z.infer<typeof tokenQuestionSchema>

/** How long a text is, without special tokens. */
export const tokenCountSchema = z.object({
  tokens: z.int(),
  /** Tokens that there is room for in as many chunks as it takes. */
  room: z.int(),
  /** What each chunk after the first begins with; of plain words, which have but one, what is left out. */
  begins: z.array(z.string()),
})
export type TokenCount = z.infer<typeof tokenCountSchema>
