import { z } from 'zod'
import { precisionSchema, providerSchema } from './compute.ts'
import { problemSchema } from './errors.ts'

/** Memory of the engine process, in bytes. */
export const memorySchema = z.object({
  /** What the sessions may hold, and what the cache counts them to hold. */
  budgetBytes: z.number(),
  usedBytes: z.number(),
  /** Resident pages, and of those the anonymous ones (not backed by weight files). */
  residentBytes: z.number(),
  anonymousBytes: z.number(),
})

export const sessionInfoSchema = z.object({
  /** Model and shape, for people. */
  label: z.string(),
  bytes: z.number(),
  lastUsed: z.number(),
})

/** A provider that the self-check refused in this precision, and why in words. */
export const refusalSchema = z.object({
  provider: providerSchema,
  precision: precisionSchema,
  message: z.string(),
})
export type Refusal = z.infer<typeof refusalSchema>

export const engineStatusSchema = z.object({
  state: z.enum(['starting', 'ready', 'restarting', 'stopped']),
  pid: z.int().optional(),
  /** Crashes within the last five minutes. */
  recentCrashes: z.int(),
  provider: z.string(),
  /** The providers of this installation, the processor first; checked at their first use, or by `doctor`. */
  providers: z.array(providerSchema),
  refusals: z.array(refusalSchema),
  /** It has found ffmpeg, so there is no video that only the page could read. */
  hasFfmpeg: z.boolean().optional(),
  memory: memorySchema,
  sessions: z.array(sessionInfoSchema),
  /** Bytes of weights read or mapped, and graphs compiled, since the engine started. */
  bytesMapped: z.number(),
  compilations: z.int(),
  problem: problemSchema.optional(),
})
export type EngineStatus = z.infer<typeof engineStatusSchema>

export const checkSchema = z.object({
  name: z.string(),
  state: z.enum(['ok', 'warning', 'missing']),
  detail: z.string(),
})
/** What `doctor` found: one line each. */
export const doctorReportSchema = z.object({ checks: z.array(checkSchema) })
export type DoctorReport = z.infer<typeof doctorReportSchema>
