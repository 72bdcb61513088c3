import type { Supervisor } from '#main/engine/supervisor.ts'

/** What the studio needs of the engine. */
export type StudioEngine = Pick<Supervisor, 'call' | 'setControls' | 'status' | 'onStatus' | 'restart'>
