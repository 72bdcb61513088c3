import { z } from 'zod'
import { studioContract } from '#app/contract/studio.ts'

const calls = Object.keys(studioContract).map((name) => `/${name}`)

/**
 * What a page may send over its line, as oRPC's peer writes it: a call, or the end of one. oRPC trusts the form of a
 * message and throws outside of any call when it is another (and leaves one named /constructor without an answer), so
 * that is decided here. Streams and files towards the host are no part of the contract, hence no body but JSON.
 */
const messageSchema = z.union([
  z.object({
    i: z.string().max(100),
    t: z.literal(1).optional(),
    p: z.object({
      u: z.enum(calls),
      m: z.literal('POST').optional(),
      h: z.record(z.literal('last-event-id'), z.string().max(200)).optional(),
      b: z.unknown(),
    }),
  }),
  z.object({ i: z.string().max(100), t: z.literal(4), p: z.unknown().optional() }),
])

/** Never throws. */
export function isPageMessage(data: unknown): boolean {
  if (typeof data !== 'string') return false
  try {
    return messageSchema.safeParse(JSON.parse(data)).success
  } catch {
    return false
  }
}
