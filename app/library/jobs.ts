import type { DatabaseSyncInstance } from '@photostructure/sqlite'
import { z } from 'zod'
import { isFinished, jobSchema, type Job } from '../contract/jobs.ts'
import { rawFramesSchema } from '../contract/media-routes.ts'
import { runRequestSchema, type RunRequest } from '../contract/pipelines.ts'
import { inTransaction } from './migrate.ts'
import { parseJson, setAside, type TextRow } from './rows.ts'

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

export function putJob(db: DatabaseSyncInstance, { job, request }: StoredJob): void {
  // Not REPLACE, which would move the row to the end of the queue.
  db.prepare(
    `INSERT INTO jobs (id, created_at, job, request) VALUES (?, ?, ?, ?)
     ON CONFLICT (id) DO UPDATE SET job = excluded.job, request = excluded.request`,
  ).run(job.id, job.createdAt, JSON.stringify(job), JSON.stringify(request))
}

export const deleteJob = (db: DatabaseSyncInstance, id: string): void => {
  db.prepare('DELETE FROM jobs WHERE id = ?').run(id)
}

/**
 * The jobs of the last run, oldest first: queued ones as they were; one that was running comes back 'interrupted'; done
 * and cancelled ones are let go, since nothing is left to say about them.
 */
export function restoreJobs(db: DatabaseSyncInstance): StoredJob[] {
  return inTransaction(db, () => {
    const kept: StoredJob[] = []
    const rows = db.prepare('SELECT id, job, request FROM jobs ORDER BY created_at, rowid').all() as TextRow[]
    for (const { id = '', ...row } of rows) {
      const job = parseJson(storedJobSchema, row['job'])
      const request = parseJson(jobRequestSchema, row['request'])
      if (!job.ok || !request.ok) {
        const reason = [job, request].map((part) => (part.ok ? '' : part.reason)).join(' ')
        setAside(db, 'jobs', id, JSON.stringify(row), reason)
        deleteJob(db, id)
      } else if (job.value.status === 'done' || job.value.status === 'cancelled') deleteJob(db, id)
      else {
        const stored = { job: restored(job.value), request: request.value }
        putJob(db, stored)
        kept.push(stored)
      }
    }
    return kept
  })
}

function restored(job: Job): Job {
  const { previewStep: _preview, secondsLeft: _seconds, ...rest } = job
  if (job.status === 'queued' || isFinished(job.status)) return rest
  const message = 'Frameloom ended while this was running. Run it again to get it.'
  return { ...rest, status: 'interrupted', stage: 'Interrupted', problem: { code: 'engine-lost', message } }
}
