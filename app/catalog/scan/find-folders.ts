import type { Dirent } from 'node:fs'
import { readdir, readFile, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { classNameOf } from '#app/models/classes.ts'
import { anyConfigSchema, readConfig } from './configs.ts'

/** A folder that may be a checkpoint, by the file that marks one; or a file that may be one by itself. */
export type FoundFolder = {
  /**
   * With symbolic links resolved; of a file those above it, because the hub's cache links names to files without an
   * extension.
   */
  folder: string
  marker: 'model_index.json' | 'config.json' | 'file'
  /** It is the very path that was given to be searched. */
  named?: boolean
}

const deepest = 6
/** Someone will give their home folder: stop at some point. */
const mostFolders = 20_000
const skipped = new Set(['node_modules', 'site-packages', '__pycache__'])

/**
 * Looks for checkpoints below `root`, depth first and in the order of names, each real folder once. A folder that is a
 * checkpoint is searched further: only the parts of a pipeline and a model's own weights are no finds of their own.
 * Knows the hub cache's layout: models--ORG--NAME/snapshots/REVISION, of which it takes refs/main or the newest.
 * Folders that cannot be read are passed over.
 */
export async function* findFolders(root: string, seen: Set<string> = new Set()): AsyncGenerator<FoundFolder> {
  let visited = 0
  yield* walk(root, 0)

  async function* walk(path: string, depth: number, pipeline?: Pipeline): AsyncGenerator<FoundFolder> {
    if (depth > deepest || visited >= mostFolders) return
    const folder = await realpath(path).catch(() => undefined)
    if (folder === undefined || seen.has(folder)) return
    if (depth === 0 && (await isKind(path, 'isFile'))) {
      for await (const found of fileIn(await realpath(dirname(path)), basename(path))) yield { ...found, named: true }
      return
    }
    seen.add(folder)
    visited++
    const snapshot = basename(folder).startsWith('models--') ? await newestSnapshot(folder) : undefined
    if (snapshot !== undefined) {
      yield* walk(snapshot, depth + 1)
      return
    }
    const entries = await readdir(folder, { withFileTypes: true }).catch((): Dirent[] => [])
    const names = new Set(entries.map((entry) => entry.name))
    const marker = await markerOf(folder, names)
    if (marker && !(pipeline && isPart(basename(path), names, pipeline))) yield { folder, marker }
    const inside = marker === 'model_index.json' ? await pipelineOf(folder) : undefined

    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.') || skipped.has(entry.name)) continue
      const path = join(folder, entry.name)
      if (entry.isSymbolicLink() ? await isKind(path, 'isDirectory') : entry.isDirectory())
        yield* walk(path, depth + 1, inside)
      else if (mayBeCheckpoint(entry.name, marker) && (await isKind(path, 'isFile'))) yield* fileIn(folder, entry.name)
    }
  }

  async function* fileIn(folder: string, name: string): AsyncGenerator<FoundFolder> {
    const file = join(folder, name)
    const real = await realpath(file)
    if (seen.has(real)) return
    seen.add(real)
    yield { folder: file, marker: 'file' }
  }
}

/**
 * The file that makes a folder a checkpoint. Other programs keep settings in a config.json as well: one that names no
 * class counts for nothing; one that cannot be read does where weights are beside it.
 */
async function markerOf(
  folder: string,
  names: ReadonlySet<string>,
): Promise<'model_index.json' | 'config.json' | undefined> {
  if (names.has('model_index.json')) return 'model_index.json'
  if (!names.has('config.json')) return undefined
  const config = await readConfig(anyConfigSchema, folder, 'config.json').catch(() => undefined)
  const isModel = config ? classNameOf(config) !== undefined : [...names].some((name) => ownWeights.test(name))
  return isModel ? 'config.json' : undefined
}

/** The folders that a model_index.json names as parts of its pipeline; undefined where it cannot be read. */
type Pipeline = { readonly parts: ReadonlySet<string> | undefined }

async function pipelineOf(folder: string): Promise<Pipeline> {
  const index = await readConfig(anyConfigSchema, folder, 'model_index.json').catch(() => undefined)
  return { parts: index && new Set(Object.keys(index)) }
}

/** Published pipelines also carry folders for other runtimes (ONNX), which their index does not name. */
const isPart = (name: string, inside: ReadonlySet<string>, { parts }: Pipeline): boolean =>
  !parts || parts.has(name) || ![...inside].some((file) => ownWeights.test(file))

export const weightsFile = /\.(safetensors|ckpt|bin|pt|pth|gguf)$/i
/** How diffusers and transformers call the weights of a folder, whatever their variant, and the shards of them. */
const ownWeights = /^(diffusion_pytorch_model|pytorch_model|model)(\.[\w-]+)?(-\d{5}-of-\d{5})?\.(safetensors|bin)$/
/** Pieces of a sharded model, and what trainers write beside one to go on later. */
const noModel = /-\d{5}-of-\d{5}\.|^(optimizer|scheduler|scaler|training_args|rng_state\w*|random_states_\w*)\./

/**
 * Single-file checkpoints, and what is told not to be one, have these extensions; a folder's own weights are known by
 * their names.
 */
const mayBeCheckpoint = (name: string, marker: string | undefined): boolean =>
  weightsFile.test(name) && !noModel.test(name) && !(marker === 'config.json' && ownWeights.test(name))

const isKind = (path: string, kind: 'isFile' | 'isDirectory'): Promise<boolean> =>
  stat(path).then(
    (found) => found[kind](),
    () => false,
  )

/** The revision that `main` names, else the one that was written last; undefined when there is none. */
export async function newestSnapshot(repository: string): Promise<string | undefined> {
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
