import { eventIterator, oc } from '@orpc/contract'
import { z } from 'zod'
import { jobSchema } from './jobs.ts'
import { modelEntrySchema } from './models.ts'
import { resultSchema } from './results.ts'
import { problemSchema } from './errors.ts'
import { appSettingsSchema, classifySettingsSchema, freeUSchema, generateSettingsSchema } from './settings.ts'
import { doctorReportSchema, engineStatusSchema } from './system.ts'

/** Everything the page keeps up to date by. The first event of a subscription is always a snapshot. */
export const studioEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('snapshot'),
    appVersion: z.string(),
    jobs: z.array(jobSchema),
    results: z.array(resultSchema),
    models: z.array(modelEntrySchema),
    engine: engineStatusSchema,
    settings: appSettingsSchema,
    /** What the user should know once: a library that was repaired, a setting that fell back to its default. */
    notices: z.array(z.string()).optional(),
  }),
  z.object({ type: z.literal('job'), job: jobSchema }),
  z.object({ type: z.literal('job-removed'), id: z.string() }),
  z.object({ type: z.literal('engine'), engine: engineStatusSchema }),
  z.object({ type: z.literal('result-added'), result: resultSchema }),
  z.object({ type: z.literal('result-removed'), id: z.string() }),
  z.object({ type: z.literal('models'), models: z.array(modelEntrySchema) }),
  z.object({ type: z.literal('settings'), settings: appSettingsSchema }),
])
export type StudioEvent = z.infer<typeof studioEventSchema>

/**
 * The contract between the page and its host, the same over Electron's message port and the serve host's WebSocket.
 * Pixels do not travel here but over the media routes (see media-routes.ts). Failures carry a Problem as their data.
 */
const base = oc.errors({ PROBLEM: { data: problemSchema } })
const jobId = z.object({ jobId: z.string() })

export const studioContract = {
  events: base.output(eventIterator(studioEventSchema)),
  generate: base.input(generateSettingsSchema).output(jobId),
  classify: base
    .input(
      z.object({
        settings: classifySettingsSchema,
        /** A clip of the library, or an upload: a whole file, or frames that the page decoded. */
        source: z.union([z.object({ clipId: z.string() }), z.object({ uploadId: z.string() })]),
      }),
    )
    .output(jobId),
  /** FreeU of a running job, in force from its next step on. */
  setFreeU: base.input(z.object({ jobId: z.string(), freeu: freeUSchema.nullable() })),
  cancel: base.input(jobId),
  /** Takes a finished job off the list. */
  dismiss: base.input(jobId),
  deleteResult: base.input(z.object({ id: z.string() })),
  refreshModels: base,
  saveSettings: base.input(appSettingsSchema),
  restartEngine: base,
  doctor: base.output(doctorReportSchema),
}
