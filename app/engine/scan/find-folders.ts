import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

/** A folder that may be a checkpoint, by the file that marks one. */
export type FoundFolder = {
  /** With symbolic links resolved. */
  folder: string
  marker: 'model_index.json' | 'config.json'
  /** The folder's name, or the hub's "org/name". */
  name: string
  hub: boolean
}

const deepest = 6
/** Someone will give their home folder: stop at some point. */
const mostFolders = 20_000
const skipped = new Set(['node_modules', 'blobs', 'refs', '__pycache__'])

const hubName = /^models--([^/]+)$/

/**
 * Looks for checkpoints below `root`, depth first and in the order of names, each real folder once. A folder that is a checkpoint
 * is not searched further. Knows the hub cache's layout: models--ORG--NAME/snapshots/REVISION, of which it takes refs/main or the newest.
 * Folders that cannot be read are passed over.
 */
export async function* findFolders(root: string, seen: Set<string> = new Set()): AsyncGenerator<FoundFolder> {
  let visited = 0
  yield* walk(root, 0)

  async function* walk(path: string, depth: number): AsyncGenerator<FoundFolder> {
    if (depth > deepest || visited >= mostFolders) return
    const folder = await realpath(path).catch(() => undefined)
    if (folder === undefined || seen.has(folder)) return
    seen.add(folder)
    visited++
    const hub = hubName.exec(basename(folder))?.[1]
    const snapshot = hub === undefined ? undefined : await newestSnapshot(folder)
    if (hub !== undefined && snapshot !== undefined) {
      for await (const found of walk(snapshot, depth + 1)) {
        const inside = found.folder === snapshot ? '' : `/${found.name}`
        yield { ...found, name: hub.replaceAll('--', '/') + inside, hub: true }
      }
      return
    }
    const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
    const names = new Set(entries.map((entry) => entry.name))
    for (const marker of ['model_index.json', 'config.json'] as const)
      if (names.has(marker)) {
        yield { folder, marker, name: basename(path), hub: false }
        return
      }

    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || skipped.has(entry.name)) continue
      if (await isFolder(folder, entry)) yield* walk(join(folder, entry.name), depth + 1)
    }
  }
}

async function isFolder(folder: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return stat(join(folder, entry.name)).then(
    (found) => found.isDirectory(),
    () => false,
  )
}

/** The revision that `main` names, else the one that was written last; undefined when there is none. */
async function newestSnapshot(repository: string): Promise<string | undefined> {
  const snapshots = join(repository, 'snapshots')
  const revisions = await readdir(snapshots).catch((): string[] => [])
  const main = await readFile(join(repository, 'refs', 'main'), 'utf8').catch(() => '')
  if (revisions.includes(main.trim())) return realpath(join(snapshots, main.trim()))
  const dated = await Promise.all(
    revisions.map(async (name) => ({ name, at: (await stat(join(snapshots, name))).mtimeMs })),
  )
  const newest = dated.sort((a, b) => b.at - a.at)[0]
  return newest && realpath(join(snapshots, newest.name))
}
