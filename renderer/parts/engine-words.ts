import type { EngineStatus } from '#app/contract/system.ts'

export const engineWords: Readonly<Record<EngineStatus['state'], string>> = {
  starting: 'Starting',
  ready: 'Ready',
  restarting: 'Restarting',
  stopped: 'Stopped',
}
