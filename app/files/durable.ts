import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ProblemError } from '#app/contract/errors.ts'

/** The file operations of a durable write, so that a test can fail each of them. */
export type DurableFs = { readonly open: typeof open; readonly rename: typeof rename; readonly rm: typeof rm }
const nodeFs: DurableFs = { open, rename, rm }

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
export const writeDurably = (
  file: string,
  chunks: Chunks,
  { mode = 0o666, fs = nodeFs }: { mode?: number; fs?: DurableFs } = {},
): Promise<void> => makeDurably(file, (part) => writeSynced(part, chunks, mode, fs), fs)

/** The same for what `make` writes to the name that it is given, and syncs: a file, or a folder where none was. */
export async function makeDurably(
  file: string,
  make: (part: string) => Promise<void>,
  fs: DurableFs = nodeFs,
): Promise<void> {
  const part = partOf(file)
  try {
    await make(part)
    await fs.rename(part, file)
    await syncFolder(dirname(file), fs)
  } catch (error) {
    await fs.rm(part, { recursive: true, force: true }).catch(() => {})
    throw asProblem(error, file)
  }
}

/** Writes a file and waits until it is on the disk. */
export async function writeSynced(file: string, chunks: Chunks, mode = 0o666, fs: DurableFs = nodeFs): Promise<void> {
  const handle = await fs.open(file, 'w', mode)
  try {
    for await (const chunk of chunks) await handle.writeFile(chunk)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Waits until what another program has written is on the disk. */
export const syncFile = (file: string): Promise<void> => sync(file, 'r+', nodeFs)

/** Waits until the names in a folder are on the disk. Windows does not open folders, and needs it not. */
export async function syncFolder(folder: string, fs: DurableFs = nodeFs): Promise<void> {
  if (process.platform !== 'win32') await sync(folder, 'r', fs)
}

async function sync(path: string, flags: string, fs: DurableFs): Promise<void> {
  const handle = await fs.open(path, flags)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full. Free some space',
  EDQUOT: 'your quota of the disk is used up. Free some space',
  ENOENT: 'its folder does not exist. Make it, or choose another',
  EACCES: 'writing there is not allowed. Choose another folder',
  EPERM: 'writing there is not allowed. Choose another folder',
  EROFS: 'that disk can only be read. Choose another folder',
}

function asProblem(error: unknown, file: string): unknown {
  if (error instanceof ProblemError || !(error instanceof Error)) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === undefined) return error
  const why = reasons[code] ?? `${message}. Check the disk`
  return new ProblemError('disk', `${file} could not be written: ${why}.`, { file, cause: error })
}
