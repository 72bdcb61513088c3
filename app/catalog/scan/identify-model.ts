import { createHash } from 'node:crypto'
import { basename, dirname, extname, sep } from 'node:path'
import type { ModelEntry } from '#app/contract/models.ts'
import type { FoundFolder } from './find-folders.ts'

/** Where a checkpoint is in the hub's cache: the repository, and the path inside of it, whatever the revision. */
function hubPlace(path: string): { name: string; inside: string } | undefined {
  const [, name, inside = ''] = /[\\/]models--([^\\/]+)[\\/]snapshots[\\/][^\\/]+(?:[\\/](.+))?$/.exec(path) ?? []
  return name === undefined ? undefined : { name: name.replaceAll('--', '/'), inside: inside.replaceAll(sep, '/') }
}

/**
 * What a found checkpoint is called: the folder's name, the file's without its extension, or where training scripts
 * call every file so, that of the folder around it; of the hub "org/name" and the path inside of it, without the
 * revision.
 */
export function modelName({ folder, marker }: FoundFolder): string {
  const hub = hubPlace(folder)
  const path = hub ? hub.inside : folder
  const named = marker === 'file' ? nameOfFile(path) : path
  return hub ? [hub.name, ...(named ? [named] : [])].join('/') : basename(named)
}

function nameOfFile(path: string): string {
  const stem = path.slice(0, path.length - extname(path).length)
  if (!/^(pytorch_(lora|custom_diffusion)_weights|adapter_model)$/.test(basename(stem))) return stem
  const around = dirname(path)
  return around === '.' ? '' : around
}

/**
 * The id of a checkpoint: the same at each scan, and for bundled ones and those of the hub on each machine and for each
 * revision, so that a recipe finds them again. Where the name alone does not tell them apart, and for all others, the
 * beginning of a hash of the place follows, because names such as "unet" repeat.
 */
export function modelId(found: FoundFolder, source: ModelEntry['source'], taken: Set<string>): string {
  const name = modelName(found)
  const plain = name.replaceAll('/', '--').replaceAll(/[^A-Za-z0-9._-]+/g, '-')
  const hub = hubPlace(found.folder)
  const hashed = (place: string, length: number): string =>
    `${plain}-${createHash('sha256').update(place).digest('hex').slice(0, length)}`
  const candidates = [
    ...(source === 'bundled' || (hub && /^[\w./-]+$/.test(name)) ? [plain] : []),
    ...(hub ? [hashed(`${hub.name}/${hub.inside}`, 8)] : []),
    hashed(found.folder, 8),
    hashed(found.folder, 64),
  ]
  const id = candidates.find((candidate) => !taken.has(candidate)) ?? plain
  taken.add(id)
  return id
}

/** How the bundled models are called, and what suits them (their README.md). */
export const demos: Record<string, Pick<ModelEntry, 'name' | 'suggested'>> = {
  'moving-shapes': {
    name: 'Moving Shapes (demo)',
    suggested: {
      numFrames: 8,
      numInferenceSteps: 25,
      guidanceScale: 4,
      prompt: 'a red circle moving left on a black background',
    },
  },
  'moving-shapes-motion': { name: 'Moving Shapes motion (demo)', suggested: { numFrames: 8 } },
  'moving-shapes-timesformer': { name: 'Moving Shapes TimeSformer (demo)' },
}
