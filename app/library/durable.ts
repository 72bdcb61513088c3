import { open, rename, unlink } from 'node:fs/promises'
import { dirname } from 'node:path'
import { ProblemError } from '../contract/errors.ts'

/** The file operations of a durable write, so that a test can fail each of them. */
export type DurableFs = { open: typeof open; rename: typeof rename; unlink: typeof unlink }
const nodeFs: DurableFs = { open, rename, unlink }

export const partOf = (file: string): string => `${file}.part`

/**
 * Writes a file so that it is there whole or not at all, also after a power cut: `.part`, fsync, rename, fsync of the folder.
 * Throws a ProblemError 'disk' that names the file; nothing is left under its name then.
 */
export async function writeDurably(
  file: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  fs: DurableFs = nodeFs,
): Promise<void> {
  const part = partOf(file)
  try {
    const handle = await fs.open(part, 'w', 0o600)
    try {
      for await (const chunk of chunks) await handle.writeFile(chunk)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await fs.rename(part, file)
    await syncFolder(dirname(file), fs)
  } catch (cause) {
    await fs.unlink(part).catch(() => {})
    if (cause instanceof ProblemError) throw cause
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new ProblemError('disk', `Could not write ${file}: ${reason}. Free some space or check the disk.`, {
      file,
      cause,
    })
  }
}

/** Windows cannot open a folder; its file system keeps renames in order by itself. */
async function syncFolder(folder: string, fs: DurableFs): Promise<void> {
  if (process.platform === 'win32') return
  const handle = await fs.open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
