import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { diskProblem } from './disk-problem.ts'
import { beforeWrite } from './write-fault.ts'

export type Chunks = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** Each writer has a name of its own until the file is whole, so that two at once do not write into one. */
const partOf = (file: string): string => `${file}.${process.pid}-${randomBytes(4).toString('hex')}.part`

/** The process that writes, or was writing when it ended, the half file of this name; undefined for other names. */
export function writerOf(name: string): number | undefined {
  const pid = /\.(\d+)-[0-9a-f]{8}\.part$/.exec(name)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

/**
 * Writes a file so that it is there whole or not at all, also after a power cut: a `.part` first, synced, then renamed,
 * then its folder synced. Throws `disk` naming the file, and what `chunks` throws; the old file is whole then.
 */
export const writeDurably = (file: string, chunks: Chunks, mode = 0o666): Promise<void> =>
  makeDurably(file, (part) => writeSynced(part, chunks, mode))

/** The same for what `make` writes to the name that it is given, and syncs: a file, or a folder where none was. */
export async function makeDurably(file: string, make: (part: string) => Promise<void>): Promise<void> {
  const part = partOf(file)
  try {
    await make(part)
    beforeWrite()
    await rename(part, file)
    await syncFolder(dirname(file))
  } catch (error) {
    await rm(part, { recursive: true, force: true }).catch(() => {})
    throw diskProblem(error, file)
  }
}

/** Writes a file and waits until it is on the disk. */
export async function writeSynced(file: string, chunks: Chunks, mode = 0o666): Promise<void> {
  beforeWrite()
  const handle = await open(file, 'w', mode)
  try {
    for await (const chunk of chunks) {
      beforeWrite()
      await handle.writeFile(chunk)
    }
    beforeWrite()
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until what another program has written is on the disk. */
export const syncFile = (file: string): Promise<void> => sync(file, 'r+')

/** Waits until the names in a folder are on the disk. Windows does not open folders, and needs it not. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform !== 'win32') await sync(folder, 'r')
}

async function sync(path: string, flags: string): Promise<void> {
  const handle = await open(path, flags)
  try {
    beforeWrite()
    await handle.sync()
  } finally {
    await handle.close()
  }
}
