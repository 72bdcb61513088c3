import { lstatSync, statSync } from 'node:fs'
import type { Recipe } from '../contract/recipe.ts'
import { pipelines } from '../contract/pipelines.ts'
import { isPicture, type PictureResult, type Result } from '../contract/results.ts'
import { readFramesHeader } from './frames-file.ts'
import { isId } from './ids.ts'
import { insideStore } from './inside-store.ts'
import { namesIn } from './own-folders.ts'

export const clipEnding = '.webp'
export const framesEnding = '.frames'

/** Reads the recipe that a clip file carries, without decoding it; null when it has none. May throw. */
export type ReadRecipe = (file: string) => Promise<Recipe | null>

export const idsIn = (folder: string, ending: string): string[] =>
  namesIn(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .filter(isId)

export type Reconciled = {
  added: Result[]
  lost: Result[]
  /** Pictures whose file has another size than when it was written. */
  changed: Result[]
  /** Names of files. */
  unreadable: string[]
}

/**
 * Compares rows with files: a file without a row (its process died between rename and commit, or the database was
 * damaged) gives a new row; a clip's row without its file is reported as lost; files that tell nothing about themselves
 * are left alone and named.
 */
export async function reconcile(
  folders: { clips: string; classifications: string },
  known: readonly Result[],
  readRecipe: ReadRecipe,
): Promise<Reconciled> {
  const rows = new Set(known.map((result) => result.id))
  const clipIds = idsIn(folders.clips, clipEnding)
  const onDisk = new Set(clipIds)
  const added: Result[] = []
  const unreadable: string[] = []
  const adopt = async (name: string, read: Promise<Result | null>): Promise<void> => {
    const result = await read.catch(() => null)
    if (result) added.push(result)
    else unreadable.push(name)
  }
  for (const id of clipIds.filter((id) => !rows.has(id)))
    await adopt(id + clipEnding, readClip(folders.clips, id, readRecipe))
  for (const id of idsIn(folders.classifications, framesEnding).filter((id) => !rows.has(id)))
    await adopt(id + framesEnding, readFrames(folders.classifications, id))
  const pictures = known.filter(isPicture)
  return {
    added,
    lost: pictures.filter(({ id }) => !onDisk.has(id)),
    changed: pictures.filter(({ id, bytes }) => onDisk.has(id) && sizeOf(folders.clips, id) !== bytes),
    unreadable,
  }
}

/** The result that a clip's file tells of; null when it tells of none. Throws when there is no such file. */
export async function readClip(folder: string, id: string, readRecipe: ReadRecipe): Promise<PictureResult | null> {
  const file = plainFile(folder, id + clipEnding)
  const recipe = await readRecipe(file)
  if (!recipe) return null
  const { size, mtimeMs } = statSync(file)
  return pictureResult(id, Math.round(mtimeMs), size, recipe)
}

async function readFrames(folder: string, id: string): Promise<Result | null> {
  const result = (await readFramesHeader(plainFile(folder, id + framesEnding)))?.header.result
  return result?.id === id ? result : null
}

/** Not a folder, and no pipe, which would be waited for. */
function plainFile(folder: string, name: string): string {
  const file = insideStore(folder, name)
  if (!lstatSync(file).isFile()) throw new Error(`${file} is no file`)
  return file
}

function sizeOf(folder: string, id: string): number | undefined {
  try {
    return statSync(plainFile(folder, id + clipEnding)).size
  } catch {
    return undefined
  }
}

export function pictureResult(id: string, createdAt: number, bytes: number, recipe: Recipe): PictureResult {
  const { pipeline, settings } = recipe
  const { prompt: title, width, height } = settings
  const [numFrames, fps] = 'numFrames' in settings ? [settings.numFrames, settings.fps] : [1, 1]
  return { id, kind: pipelines[pipeline].makes, createdAt, title, width, height, numFrames, fps, bytes, recipe }
}
