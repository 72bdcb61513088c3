import { ProblemError } from '../contract/errors.ts'
import { diskReason } from '#app/files/disk-problem.ts'

/** SQLite's primary result codes (sqlite.org/rescode.html). */
const codes = { error: 1, busy: 5, readOnly: 8, io: 10, corrupt: 11, full: 13, cantOpen: 14, notADatabase: 26 }

const reasons: Readonly<Record<number, string>> = {
  [codes.readOnly]: 'writing there is not allowed. Allow it, or choose another folder',
  [codes.io]: 'the disk reported an error. Check the disk',
  [codes.corrupt]: 'it is damaged. Start Frameloom again, which repairs it',
  [codes.full]: 'the disk is full. Free some space',
  [codes.cantOpen]: 'its folder cannot be written. Allow it, or choose another folder',
}

const codeOf = (error: unknown): number | undefined =>
  error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : undefined

export const isBusy = (error: unknown): boolean => codeOf(error) === codes.busy

/** The file is not what SQLite or Frameloom wrote: `error` is what a damaged header or schema gives. */
export const isDamage = (error: unknown): boolean =>
  [codes.error, codes.corrupt, codes.notADatabase].includes(codeOf(error) ?? -1)

/** A file that says of itself that it may not be written: the rights of file and disk decide whether that is damage. */
export const isReadOnly = (error: unknown): boolean => codeOf(error) === codes.readOnly

export const damage = (message: string): Error => Object.assign(new Error(message), { errcode: codes.corrupt })

/**
 * Why a write did not get to the disk, and what to do; undefined for an error that is neither SQLite's nor the
 * system's.
 */
export function writeReason(error: unknown): string | undefined {
  const code = codeOf(error)
  return code === undefined ? diskReason(error) : (reasons[code] ?? `${(error as Error).message}. Check the disk`)
}

/** The same as a ProblemError; any other error as it is. */
export function writeProblem(error: unknown, file: string): unknown {
  const why = error instanceof ProblemError ? undefined : writeReason(error)
  return why === undefined
    ? error
    : new ProblemError('disk', `The library ${file} could not be written: ${why}.`, { file, cause: error })
}
