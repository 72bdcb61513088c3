import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/**
 * Where things are on this machine. Environment variables that change it, in which ~ is the home folder:
 *   FRAMELOOM_DATA       the data directory (library, clips, models, logs)
 *   FRAMELOOM_MODELS     more folders with checkpoints, separated as in PATH
 *   FRAMELOOM_RESOURCES  the bundled resources
 *   FRAMELOOM_ENGINE     the engine's bundle
 *   FRAMELOOM_NODE       the Node binary that runs the engine
 *   FRAMELOOM_FFMPEG     the folder of ffmpeg and ffprobe, or ffmpeg itself
 */
const env = (name: string): string | undefined => {
  const value = process.env[name]
  return value ? withHome(value) : undefined
}

/** Shells put the home folder in the place of ~ only where it is not quoted, and not in files of settings. */
const withHome = (folder: string): string => folder.replace(/^~(?=$|[\\/])/, homedir())

const readPackage = (file: string) => JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string }

/** The nearest folder above this file that holds our package.json: the repository, or the packaged app. */
export function appRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url))
  for (;;) {
    const file = join(folder, 'package.json')
    if (existsSync(file) && readPackage(file).name === 'frameloom') return folder
    const parent = dirname(folder)
    if (parent === folder) throw new Error(`No package.json of frameloom above ${fileURLToPath(import.meta.url)}`)
    folder = parent
  }
}

/** Plain Node reads no asar archive, so what the engine opens is packed outside of it. */
const unpacked = (path: string): string => path.replace(/([\\/])app\.asar([\\/]|$)/, '$1app.asar.unpacked$2')

export const appVersion = (): string => readPackage(join(appRoot(), 'package.json')).version

/** Library, finished clips, downloaded models and logs of this user. May not exist yet. */
export function dataDir(): string {
  const own = env('FRAMELOOM_DATA')
  if (own) return resolve(own)
  if (process.platform === 'win32') return join(env('LOCALAPPDATA') ?? join(homedir(), 'AppData', 'Local'), 'Frameloom')
  if (process.platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Frameloom')
  return join(env('XDG_DATA_HOME') ?? join(homedir(), '.local', 'share'), 'frameloom')
}

/** What only saves time: may be deleted at any moment. */
export const cacheDir = (data = dataDir()): string => join(data, 'cache')

/** What ships with the app: icons, demo models, clips. */
export const resourcesDir = (): string => resolve(env('FRAMELOOM_RESOURCES') ?? unpacked(join(appRoot(), 'resources')))

export const bundledModelsDir = (): string => join(resourcesDir(), 'demo-models')

/** Where a user puts checkpoints if they name no folder of their own. May not exist yet. */
export const userModelsDir = (): string => join(dataDir(), 'models')

/** The hub cache, by the variables that huggingface_hub reads. */
export function hubCacheDir(): string {
  const home = env('HF_HOME') ?? join(env('XDG_CACHE_HOME') ?? join(homedir(), '.cache'), 'huggingface')
  return env('HF_HUB_CACHE') ?? env('HUGGINGFACE_HUB_CACHE') ?? join(home, 'hub')
}

/** The folders of FRAMELOOM_MODELS. A drive's letter is no folder, also where a colon separates them. */
const namedModelDirs = (): string[] =>
  (env('FRAMELOOM_MODELS') ?? '')
    .split(delimiter === ':' ? /:(?!\\)/ : delimiter)
    .filter(Boolean)
    .map(withHome)

/** The folders that a variable names and that are not there, in words: nothing would be found in them. */
export function missingFolders(): string[] {
  const one = (name: string): [string, string][] => (env(name) ? [[name, env(name)!]] : [])
  return [
    ...namedModelDirs().map((folder): [string, string] => ['FRAMELOOM_MODELS', folder]),
    ...['HF_HOME', 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE', 'FRAMELOOM_RESOURCES', 'FRAMELOOM_FFMPEG'].flatMap(one),
  ]
    .filter(([, folder]) => !existsSync(folder))
    .map(([name, folder]) => `${name} names ${folder}, which is not there. Correct it, or make that folder.`)
}

export type ModelRoot = { folder: string; source: 'bundled' | 'folder' }

/**
 * Every folder to search for checkpoints: bundled, the user's own, the hub cache, and those of the settings. Only
 * existing ones.
 */
export function modelRoots(fromSettings: readonly string[] = []): ModelRoot[] {
  const folders = [userModelsDir(), ...namedModelDirs(), hubCacheDir(), ...fromSettings.filter(Boolean).map(withHome)]
  const unique = [...new Set(folders.map((folder) => resolve(folder)))]
  const roots: ModelRoot[] = [
    { folder: bundledModelsDir(), source: 'bundled' },
    ...unique.map((folder) => ({ folder, source: 'folder' as const })),
  ]
  return roots.filter((root) => existsSync(root.folder))
}

/** Where the user has ffmpeg, where they say so. */
export const ffmpegPath = (): string | undefined => env('FRAMELOOM_FFMPEG')

/** The bundled file of the engine process. */
export const enginePath = (): string =>
  resolve(env('FRAMELOOM_ENGINE') ?? unpacked(join(appRoot(), 'dist', 'node', 'engine.js')))

/** The Node binary for the engine: never Electron's own. */
export function nodePath(): string {
  const own = env('FRAMELOOM_NODE')
  if (own) return own
  if (!process.versions['electron']) return process.execPath
  const name = process.platform === 'win32' ? 'node.exe' : 'node'
  const packaged = join((process as NodeJS.Process & { resourcesPath: string }).resourcesPath, 'node', name)
  if (existsSync(packaged)) return packaged
  const onPath = (env('PATH') ?? '').split(delimiter).map((folder) => join(folder, name))
  const found = onPath.find((file) => existsSync(file))
  if (found) return found
  throw new Error('No Node binary for the engine: set FRAMELOOM_NODE to one of Node 24.')
}
