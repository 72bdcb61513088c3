import { mkdirSync, renameSync, statSync } from 'node:fs'
import pino from 'pino'
import { insideStore } from '#app/library/inside-store.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

const rotateAt = 4 * 2 ** 20

/** One file of JSON lines below the data folder, and the one before it. Nothing a user typed and no address goes in. */
export function openLog(dataDir: string): Log & { close(): void } {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const folder = insideStore(dataDir, 'logs')
  mkdirSync(folder, { recursive: true })
  const file = insideStore(folder, 'frameloom.log')
  if ((statSync(file, { throwIfNoEntry: false })?.size ?? 0) > rotateAt)
    renameSync(file, insideStore(folder, 'frameloom.1.log'))
  const destination = pino.destination({ dest: file, sync: true })
  const log = pino({ base: null, serializers: { error: pino.stdSerializers.err } }, destination)
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    close: () => destination.end(),
  }
}
