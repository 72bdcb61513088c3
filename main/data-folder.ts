import { accessSync, constants, mkdirSync } from 'node:fs'
import { ProblemError } from '#app/contract/errors.ts'
import { dataDir } from './paths.ts'

/** Makes the data folder. Throws `disk` that says which variable names it and what to do. */
export function makeDataDir(folder = dataDir()): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (cause) {
    throw dataProblem(folder, 'made', cause)
  }
  return folder
}

/**
 * Runs what opens the store below the data folder; an error of it is told as the folder's where that is the cause.
 */
export async function inDataDir<T>(folder: string, open: () => Promise<T>): Promise<T> {
  makeDataDir(folder)
  try {
    return await open()
  } catch (error) {
    try {
      accessSync(folder, constants.R_OK | constants.W_OK | constants.X_OK)
    } catch (cause) {
      throw dataProblem(folder, 'written', cause)
    }
    throw error
  }
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission',
  EPERM: 'this user has no permission',
  EROFS: 'the disk is read-only',
  EEXIST: 'there is a file of that name',
  ENOTDIR: 'a part of the path is a file',
  ENOENT: 'the disk or folder that it is on is not there',
  ENOSPC: 'the disk is full',
}

function dataProblem(folder: string, what: 'made' | 'written', cause: unknown): ProblemError {
  const reason = reasons[(cause as NodeJS.ErrnoException).code ?? ''] ?? (cause as Error).message
  const named = process.env['FRAMELOOM_DATA']
    ? 'FRAMELOOM_DATA or --data-dir names it: choose'
    : 'Set FRAMELOOM_DATA to'
  return new ProblemError(
    'disk',
    `The data folder ${folder} cannot be ${what}: ${reason}. ${named} a folder that you can write, or change this one's permissions.`,
    { file: folder, cause },
  )
}
