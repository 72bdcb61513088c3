import type { Job } from './jobs.ts'
import { pipelines } from './pipelines.ts'
import type { Makes } from './pipelines/pipeline.ts'
import { makesOf, type Result } from './results.ts'

type ViewRow = {
  title: string
  /** The key that goes there. */
  key: string
  /** It has the jobs and results of the pipelines that make these. */
  makes: readonly Makes[]
}

/** The studio's views in the order of the top bar: what menus and stores must know of them. The page has the rest. */
export const viewTable = {
  generate: { title: 'Generate', key: 'G', makes: ['clip', 'still', 'embedding'] },
  classify: { title: 'Classify', key: 'C', makes: ['labels'] },
} as const satisfies Record<string, ViewRow>

export type ViewId = keyof typeof viewTable
export const viewIds = Object.keys(viewTable) as ViewId[]

const rows: Readonly<Record<ViewId, ViewRow>> = viewTable
const viewMaking = (makes: Makes): ViewId => viewIds.find((id) => rows[id].makes.includes(makes))!
export const viewOfJob = (pipeline: Job['pipeline']): ViewId => viewMaking(pipelines[pipeline].makes)
export const viewOfResult = (kind: Result['kind']): ViewId => viewMaking(makesOf(kind))
