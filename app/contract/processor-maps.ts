import { z } from 'zod'
import { attnChoiceSchema } from './attn-processors.ts'

export const processorMapNameSchema = z
  .string()
  .trim()
  .min(1, 'Give it a name.')
  .max(80, 'A name has 80 characters at most.')
  // SQLite's text ends at the first of U+0000; the others cannot be seen.
  .regex(/^\P{Cc}*$/u, 'A name has no control characters.')

/**
 * Attention processors that were kept under a name, to be chosen again. Names that differ in case alone are the same.
 */
export const processorMapSchema = z.object({
  name: processorMapNameSchema,
  processors: attnChoiceSchema,
  savedAt: z.number(),
})
export type ProcessorMap = z.infer<typeof processorMapSchema>

export const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
