import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'

/** The name a file has until it is whole. */
export const partOf = (file: string): string => `${file}.part`

/** Runs `work`, which writes partOf(file); then that is on the disk under its final name, or there is nothing. Throws `disk` problems. */
export async function whole(file: string, work: (part: string) => Promise<void>): Promise<void> {
  const part = partOf(file)
  try {
    await work(part)
    await rename(part, file)
    await syncFolder(dirname(file))
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => {})
    throw asProblem(error, file)
  }
}

/** Writes the bytes and waits until they are on the disk. */
export async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  const handle = await open(file, 'w')
  try {
    await handle.writeFile(bytes)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until what another program has written is on the disk. */
export async function syncFile(file: string): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

// Makes the new name itself durable; Windows does not open folders, and needs it not.
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function asProblem(error: unknown, file: string): unknown {
  if (error instanceof ProblemError || !(error instanceof Error)) return error
  const code = (error as NodeJS.ErrnoException).code
  if (code === undefined) return error
  const why =
    code === 'ENOSPC'
      ? 'the disk is full'
      : code === 'ENOENT'
        ? 'its folder does not exist'
        : code === 'EACCES' || code === 'EPERM'
          ? 'writing there is not allowed'
          : error.message
  return new ProblemError('disk', `${file} could not be written: ${why}`, { file, cause: error })
}
