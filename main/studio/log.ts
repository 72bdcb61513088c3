import { closeSync, mkdirSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import pino from 'pino'
import { beforeWrite } from '#app/files/write-fault.ts'
import { insideStore } from '#app/library/inside-store.ts'
import { openFolder } from '#app/library/own-folders.ts'

export type Log = Record<'info' | 'warn' | 'error', (fields: object, message: string) => void>

const rotateAt = 4 * 2 ** 20

/**
 * One file of JSON lines below the data folder, and the one before it: twice `limit` bytes at most, whatever the engine
 * says. Nothing a user typed and no address goes in. A log is never the reason that something fails: what cannot be
 * written is left out, and counted.
 */
export function openLog(dataDir: string, limit = rotateAt): Log & { close(): void } {
  const file = openFile(dataDir, limit)
  const log = pino({ base: null, serializers: { error: pino.stdSerializers.err } }, file)
  return {
    info: (fields, message) => log.info(fields, message),
    warn: (fields, message) => log.warn(fields, message),
    error: (fields, message) => log.error(fields, message),
    close: () => file.close(),
  }
}

function openFile(dataDir: string, limit: number): { write(line: string): void; close(): void } {
  let handle: number | undefined
  let bytes = 0
  let lost = 0

  const close = (): void => {
    if (handle === undefined) return
    const before = handle
    handle = undefined
    closeSync(before)
  }
  const open = (): number => {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    const folder = openFolder(dataDir, 'logs', [])
    const file = insideStore(folder, 'frameloom.log')
    bytes = statSync(file, { throwIfNoEntry: false })?.size ?? 0
    if (bytes >= limit) {
      renameSync(file, insideStore(folder, 'frameloom.1.log'))
      bytes = 0
    }
    return openSync(file, 'a', 0o600)
  }
  const append = (line: string): void => {
    beforeWrite()
    handle ??= open()
    bytes += writeSync(handle, line)
  }

  return {
    write(line) {
      try {
        if (bytes >= limit) close()
        if (lost > 0) append(`{"level":40,"time":${Date.now()},"msg":"${lost} lines could not be written"}\n`)
        lost = 0
        append(line.length > limit ? `${line.slice(0, limit)}...\n` : line)
      } catch {
        lost++
      }
    },
    close() {
      try {
        close()
      } catch {
        // nothing more is written
      }
    },
  }
}
