import type { EngineCalls, EngineMethod, ToEngine } from '#app/contract/engine.ts'
import type { Problem } from '#app/contract/errors.ts'
import type { Controls } from './call.ts'
import type { SessionStats } from '#app/runtime/stats.ts'

/**
 * The two threads of the engine process: the control thread (main.ts) hears the host, the worker (worker.ts) does the
 * work.
 */

export type Call = Extract<ToEngine, { type: 'call' }>

/** Control thread to worker, one call at a time. */
export type ToWorker = { call: Call; controls: Controls }

/** News about the call that runs; on a port of its own, so that the worker can poll it in the middle of a call. */
export type News = { type: 'cancel'; id: number } | { type: 'controls'; id: number; controls: Controls }

/** Worker to control thread. */
export type FromWorker =
  | { type: 'loaded' }
  | { type: 'stats'; stats: SessionStats }
  | { type: 'event'; id: number; event: EngineCalls[EngineMethod]['event'] }
  | { type: 'result'; id: number; result: EngineCalls[EngineMethod]['result'] }
  | { type: 'failed'; id: number; problem: Problem }
