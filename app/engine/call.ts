import type { EngineCalls, EngineMethod, QuickMethod } from '#app/contract/engine.ts'
import type { LiveControls } from '#app/contract/settings.ts'

/** What a user changed while a call runs; undefined before the first change. */
export type Controls = LiveControls | undefined

/** What a handler may ask about its call. Each question also looks for news from the control thread. */
export type CallContext = {
  /** Fires at a cancel, for waits; during long synchronous work only `checkCancelled` and `controls` see it. */
  readonly signal: AbortSignal
  /** Throws a ProblemError 'cancelled' once the call was cancelled. Cheap: ask between any two model calls. */
  readonly checkCancelled: () => void
  /** Tells the host what is done in the middle of work that yields no events. Only for methods that have a `stage`. */
  readonly stage: (stage: string, progress: number) => void
  /** The newest controls. */
  readonly controls: () => Controls
}

/** Yields the call's events and ends with its result; a method without events may be a plain async function. */
export type Handler<M extends EngineMethod> = (
  request: EngineCalls[M]['request'],
  context: CallContext,
) => AsyncGenerator<EngineCalls[M]['event'], EngineCalls[M]['result']> | Promise<EngineCalls[M]['result']>

export type QuickHandlers = { [M in QuickMethod]: Handler<M> }
export type Handlers = { [M in Exclude<EngineMethod, QuickMethod>]: Handler<M> }
