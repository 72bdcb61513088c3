import type { Provider } from '#app/contract/compute.ts'
import type { EngineStatus } from '#app/contract/system.ts'

/** What the session cache holds and did since the engine started, all bytes counted by the cache itself. */
export type SessionStats = {
  /** Execution provider of the sessions, as onnxruntime names it. */
  provider: string
  /** Those of this installation, and what the self-check refused of them so far. */
  providers: Provider[]
  refusals: EngineStatus['refusals']
  budgetBytes: number
  usedBytes: number
  sessions: EngineStatus['sessions']
  /** Bytes of weights read or mapped. */
  bytesMapped: number
  compilations: number
}

export const noSessions: SessionStats = {
  provider: 'cpu',
  providers: ['cpu'],
  refusals: [],
  budgetBytes: 0,
  usedBytes: 0,
  sessions: [],
  bytesMapped: 0,
  compilations: 0,
}
