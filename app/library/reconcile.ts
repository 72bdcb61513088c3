import { readdirSync, rmSync, statSync } from 'node:fs'
import type { Recipe } from '../contract/recipe.ts'
import { pipelines } from '../contract/pipelines.ts'
import { isPicture, type PictureResult, type Result } from '../contract/results.ts'
import { readFramesHeader } from './frames-file.ts'
import { isId } from './ids.ts'
import { insideStore } from './inside-store.ts'

export const clipEnding = '.webp'
export const framesEnding = '.frames'

/** Reads the recipe that a clip file carries, without decoding it; null when it has none. May throw. */
export type ReadRecipe = (file: string) => Promise<Recipe | null>

/** A half-written file of a process that was killed. Nothing points at it. */
export function removeParts(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (name.endsWith('.part')) rmSync(insideStore(folder, name), { recursive: true, force: true })
  }
}

export const idsIn = (folder: string, ending: string): string[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .filter(isId)

export type Reconciled = { added: Result[]; lost: Result[]; unreadable: string[] }

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
  const adopt = async (file: string, read: () => Promise<Result | null>): Promise<void> => {
    const result = await read().catch(() => null)
    if (result) added.push(result)
    else unreadable.push(file)
  }
  for (const id of clipIds.filter((id) => !rows.has(id))) {
    const file = insideStore(folders.clips, id + clipEnding)
    await adopt(file, () => clipFromFile(id, file, readRecipe))
  }
  for (const id of idsIn(folders.classifications, framesEnding).filter((id) => !rows.has(id))) {
    const file = insideStore(folders.classifications, id + framesEnding)
    await adopt(file, async () => (await readFramesHeader(file))?.header.result ?? null)
  }
  const lost = known.filter((result) => isPicture(result) && !onDisk.has(result.id))
  return { added, lost, unreadable }
}

async function clipFromFile(id: string, file: string, readRecipe: ReadRecipe): Promise<PictureResult | null> {
  const recipe = await readRecipe(file)
  if (!recipe) return null
  const { size, mtimeMs } = statSync(file)
  return pictureResult(id, Math.round(mtimeMs), size, recipe)
}

export function pictureResult(id: string, createdAt: number, bytes: number, recipe: Recipe): PictureResult {
  const { pipeline, settings } = recipe
  const { prompt: title, width, height } = settings
  const [numFrames, fps] = 'numFrames' in settings ? [settings.numFrames, settings.fps] : [1, 1]
  return { id, kind: pipelines[pipeline].makes, createdAt, title, width, height, numFrames, fps, bytes, recipe }
}
