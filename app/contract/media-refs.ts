import { z } from 'zod'

/**
 * A picture, clip or embedding that goes into a run, by its content: wherever a file of the same bytes is, it is that
 * one. The name is for people only.
 */
export const mediaRefSchema = z.object({
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  name: z.string().max(200),
})
export type MediaRef = z.infer<typeof mediaRefSchema>

/**
 * What a pipeline reads of such a file: one picture, which of a clip is the first frame, all frames, or an embedding.
 */
export type Takes = 'still' | 'clip' | 'embedding'
export const takesWords: Readonly<Record<Takes, string>> = { still: 'picture', clip: 'clip', embedding: 'embedding' }
