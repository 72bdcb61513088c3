import type { Job } from './jobs.ts'
import type { Result } from './results.ts'

type ViewRow = {
  title: string
  /** The key that goes there. */
  key: string
  /** Kinds of jobs and results that it shows. */
  jobs: readonly Job['kind'][]
  results: readonly Result['kind'][]
}

/** The studio's views in the order of the top bar: what menus and stores must know of them. The page has the rest. */
export const viewTable = {
  generate: { title: 'Generate', key: 'G', jobs: ['generate'], results: ['clip'] },
  classify: { title: 'Classify', key: 'C', jobs: ['classify'], results: ['classification'] },
} as const satisfies Record<string, ViewRow>

export type ViewId = keyof typeof viewTable
export const viewIds = Object.keys(viewTable) as ViewId[]

const rows: Readonly<Record<ViewId, ViewRow>> = viewTable
export const viewOfJob = (kind: Job['kind']): ViewId => viewIds.find((id) => rows[id].jobs.includes(kind))!
export const viewOfResult = (kind: Result['kind']): ViewId => viewIds.find((id) => rows[id].results.includes(kind))!
