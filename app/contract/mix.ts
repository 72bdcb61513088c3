import { z } from 'zod'
import { mediaRefSchema } from './media-refs.ts'

const weight = z.number().min(-10).max(10)
/** null where none is chosen yet. */
const media = mediaRefSchema.nullable()

/**
 * What goes into an embedding beside the prompt, with its weight: another text, a picture, or an embedding that was
 * kept. Weights are taken as they are: 0.5 and 0.5 make a mean, 1 and 1 a sum.
 */
export const mixItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().max(20_000), weight }),
  z.object({ kind: z.literal('picture'), media, weight }),
  z.object({ kind: z.literal('embedding'), media, weight }),
])
export type MixItem = z.infer<typeof mixItemSchema>
