import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { isFinished, jobSchema, type Job } from '../contract/jobs.ts'
import { rawFramesSchema } from '../contract/media-routes.ts'
import { runRequestSchema, type RunRequest } from '../contract/pipelines.ts'
import { isId } from './ids.ts'
import { changedByDisk, digestOf, parseJson, setAside, type TextRow } from './rows.ts'
import type { Write } from './writes.ts'

/** A file the page sent: a clip, or with `frames` the pixels that it decoded. */
export const uploadSchema = z.object({ id: z.string(), name: z.string(), frames: rawFramesSchema.optional() })
export type Upload = z.infer<typeof uploadSchema>

/** The clip that a run reads: one of the library, or an upload. */
const sourceSchema = z.union([z.object({ clipId: z.string() }), z.object({ upload: uploadSchema })])
export type JobSource = z.infer<typeof sourceSchema>

export type JobRequest = RunRequest & { readonly source?: JobSource | undefined }
export const jobRequestSchema = z.preprocess(
  migrateKind,
  z.intersection(runRequestSchema, z.object({ source: sourceSchema.optional() })),
) as unknown as z.ZodType<JobRequest>

/** Jobs were once of two kinds, each with the one pipeline there was. */
const pipelineOfKind = { generate: 'text-to-video', classify: 'video-classification' } as const
const kindSchema = z.looseObject({ kind: z.enum(['generate', 'classify']) })

function migrateKind(value: unknown): unknown {
  const { success, data } = kindSchema.safeParse(value)
  if (!success) return value
  const { kind, ...rest } = data
  return { ...rest, pipeline: pipelineOfKind[kind] }
}
const storedJobSchema = z.preprocess(migrateKind, jobSchema)
export type StoredJob = { job: Job; request: JobRequest }

const keyOf = (id: string): string => `job ${id}`

export const putJob = (db: DatabaseSync, { job, request }: StoredJob): Write => ({
  key: keyOf(job.id),
  run: () => {
    const texts = [JSON.stringify(job), JSON.stringify(request)] as const
    // Not REPLACE, which would move the row to the end of the queue.
    db.prepare(
      `INSERT INTO jobs (id, created_at, job, request, digest) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT (id) DO UPDATE SET job = excluded.job, request = excluded.request, digest = excluded.digest`,
    ).run(job.id, job.createdAt, ...texts, digestOf(job.id, ...texts))
  },
})

export const deleteJob = (db: DatabaseSync, id: string): Write => ({
  key: keyOf(id),
  run: () => void db.prepare('DELETE FROM jobs WHERE id = ?').run(id),
})

/**
 * The jobs of the last run, oldest first: queued ones as they were; one that was running comes back 'interrupted',
 * unless its result is in the library; done and cancelled ones are let go, since nothing is left to say about them.
 * `repairs` bring the rows up to that.
 */
export function restoreJobs(
  db: DatabaseSync,
  hasResult: (id: string) => boolean,
): { jobs: StoredJob[]; repairs: Write[]; bad: number } {
  const jobs: StoredJob[] = []
  const repairs: Write[] = []
  let bad = 0
  const rows = db
    .prepare('SELECT rowid, id, job, request, digest FROM jobs ORDER BY created_at, rowid')
    .all() as TextRow[]
  for (const { rowid, id = '', ...row } of rows) {
    const job = parseJson(storedJobSchema, row['job'])
    const request = parseJson(jobRequestSchema, row['request'])
    const changed = changedByDisk(row['digest'], id, row['job'] ?? '', row['request'] ?? '')
    if (!job.ok || !request.ok || changed !== undefined || job.value.id !== id || !isId(id)) {
      const reason = [job, request].map((part) => (part.ok ? '' : part.reason)).join(' ') || (changed ?? '')
      repairs.push(setAside(db, { origin: 'jobs', rowid, key: id, value: JSON.stringify(row), reason }))
      bad++
    } else if (isOver(job.value, hasResult)) repairs.push(deleteJob(db, id))
    else {
      const stored = { job: restored(job.value), request: request.value }
      if (stored.job.status !== job.value.status) repairs.push(putJob(db, stored))
      jobs.push(stored)
    }
  }
  return { jobs, repairs, bad }
}

/** A result that is there says more than the status: Frameloom may have ended between the two. */
const isOver = ({ status, resultId }: Job, hasResult: (id: string) => boolean): boolean =>
  status === 'done' || status === 'cancelled' || (resultId !== undefined && hasResult(resultId))

function restored(job: Job): Job {
  const { previewStep: _preview, secondsLeft: _seconds, ...rest } = job
  if (job.status === 'queued' || isFinished(job.status)) return rest
  const message = 'Frameloom ended while this was running. Run it again to get it.'
  return { ...rest, status: 'interrupted', stage: 'Interrupted', problem: { code: 'engine-lost', message } }
}
