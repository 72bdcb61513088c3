import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'

/** A folder that may be a checkpoint, by the file that marks one; or a file that may be one by itself. */
export type FoundFolder = {
  /**
   * With symbolic links resolved; of a file those above it, because the hub's cache links names to files without an
   * extension.
   */
  folder: string
  marker: 'model_index.json' | 'config.json' | 'file'
  /** The folder's name, the file's without its extension, or the hub's "org/name". */
  name: string
  hub: boolean
  /** It is the very path that was given to be searched. */
  named?: boolean
}

const deepest = 6
/** Someone will give their home folder: stop at some point. */
const mostFolders = 20_000
const skipped = new Set(['node_modules', 'blobs', 'refs', '__pycache__'])

const hubName = /^models--([^/]+)$/

/**
 * Looks for checkpoints below `root`, depth first and in the order of names, each real folder once. A folder that is a
 * checkpoint is not searched further. Knows the hub cache's layout: models--ORG--NAME/snapshots/REVISION, of which it
 * takes refs/main or the newest. Folders that cannot be read are passed over.
 */
export async function* findFolders(root: string, seen: Set<string> = new Set()): AsyncGenerator<FoundFolder> {
  let visited = 0
  yield* walk(root, 0)

  async function* walk(path: string, depth: number): AsyncGenerator<FoundFolder> {
    if (depth > deepest || visited >= mostFolders) return
    const folder = await realpath(path).catch(() => undefined)
    if (folder === undefined || seen.has(folder)) return
    if (depth === 0 && (await isKind(path, 'isFile'))) {
      for await (const found of fileIn(await realpath(dirname(path)), basename(path))) yield { ...found, named: true }
      return
    }
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
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink() ? await isKind(path, 'isDirectory') : entry.isDirectory()) yield* walk(path, depth + 1)
      else if (mayBeCheckpoint(entry.name) && (await isKind(path, 'isFile'))) yield* fileIn(folder, entry.name)
    }
  }

  async function* fileIn(folder: string, name: string): AsyncGenerator<FoundFolder> {
    const file = join(folder, name)
    const real = await realpath(file)
    if (seen.has(real)) return
    seen.add(real)
    yield { folder: file, marker: 'file', name: nameOf(folder, name), hub: false }
  }
}

/** The file's name without its extension; where training scripts call every file so, the folder's. */
function nameOf(folder: string, file: string): string {
  const stem = file.slice(0, -extname(file).length)
  return /^(pytorch_(lora|custom_diffusion)_weights|adapter_model)$/.test(stem) ? basename(folder) : stem
}

/** Single-file checkpoints have these extensions; the pieces of a sharded one are told by their names. */
const mayBeCheckpoint = (name: string): boolean =>
  /\.(safetensors|ckpt|bin|pt|pth)$/i.test(name) && !/-\d{5}-of-\d{5}\./.test(name)

const isKind = (path: string, kind: 'isFile' | 'isDirectory'): Promise<boolean> =>
  stat(path).then(
    (found) => found[kind](),
    () => false,
  )

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
