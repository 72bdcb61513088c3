import { jobSchema } from '#app/contract/jobs.ts'
import { modelEntrySchema } from '#app/contract/models.ts'
import { processorMapSchema } from '#app/contract/processor-maps.ts'
import { resultSchema } from '#app/contract/results.ts'
import { studioEventSchema, type StudioEvent } from '#app/contract/studio.ts'
import type { Log } from './log.ts'

/**
 * An event as the contract allows it: oRPC ends a page's line at one that is not, and a page without its snapshot shows
 * nothing. Of a snapshot, entries that do not fit are left out; any other event that does not fit is not told.
 */
export function soundEvent(event: StudioEvent, log: Log): StudioEvent | null {
  const whole = studioEventSchema.safeParse(event)
  if (whole.success) return event
  const { path, message } = whole.error.issues[0] ?? { path: [], message: '' }
  log.error({ event: event.type, path: path.join('.'), reason: message }, 'event does not fit the contract')
  if (event.type !== 'snapshot') return null
  return {
    ...event,
    jobs: event.jobs.filter((job) => jobSchema.safeParse(job).success),
    results: event.results.filter((result) => resultSchema.safeParse(result).success),
    models: event.models.filter((model) => modelEntrySchema.safeParse(model).success),
    processorMaps: event.processorMaps.filter((map) => processorMapSchema.safeParse(map).success),
  }
}
