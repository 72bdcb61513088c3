import type { EngineCalls, LocatedModel, RunEvent, RunResult } from '#app/contract/engine.ts'
import type { PipelineName, RunRequest } from '#app/contract/pipelines.ts'
import type { ModelReference } from '#app/contract/recipe.ts'
import type { LiveControls } from '#app/contract/settings.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'

/** What every run may use. */
export type RunTools = {
  readonly sessions: SessionCache
  /** The model as a recipe names it, with the hashes of its weights. */
  readonly referenceOf: (model: LocatedModel, signal: AbortSignal) => Promise<ModelReference>
}

/** What a run may ask about its call. */
export type RunContext = {
  /** Fires at a cancel, for waits. */
  readonly signal: AbortSignal
  /** Throws a ProblemError 'cancelled' once the run was cancelled. Cheap: ask between any two model calls. */
  readonly checkCancelled: () => void
  /** Tells the host what is done in the middle of work that yields no events. */
  readonly stage: (stage: string, progress: number) => void
  /** What a user changed since the run began; undefined before the first change. */
  readonly controls: () => LiveControls | undefined
}

type Request = EngineCalls['run']['request']
export type RunOf<P extends PipelineName> = Omit<Request, 'pipeline' | 'settings'> & RunRequest<P>

/** Opens the models of a request, runs its pipeline, and ends with what it made. */
export type Runner<P extends PipelineName> = (
  tools: RunTools,
  request: RunOf<P>,
  context: RunContext,
) => AsyncGenerator<RunEvent, RunResult>
