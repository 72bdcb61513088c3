import { lstatSync, statSync } from 'node:fs'
import { pipelineOf, pipelines } from '../contract/pipelines.ts'
import type { PictureRecipe, Recipe, RecipeOf } from '../contract/recipe.ts'
import { isEmbedding, isPicture, type EmbeddingResult, type PictureResult, type Result } from '../contract/results.ts'
import { readFramesHeader } from './frames-file.ts'
import { isId } from './ids.ts'
import { insideStore } from './inside-store.ts'
import { namesIn } from './own-folders.ts'

export const clipEnding = '.webp'
export const framesEnding = '.frames'
export const embeddingEnding = '.safetensors'

/** Reads the recipe that a file carries, without decoding it; null when it has none. May throw. */
export type ReadRecipe = (file: string) => Promise<Recipe | null>

export const idsIn = (folder: string, ending: string): string[] =>
  namesIn(folder)
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length))
    .filter(isId)

export type Reconciled = {
  added: Result[]
  lost: Result[]
  /** Pictures and embeddings whose file has another size than when it was written. */
  changed: Result[]
  /** Names of files. */
  unreadable: string[]
}

/**
 * Compares rows with files: a file without a row (its process died between rename and commit, or the database was
 * damaged) gives a new row; the row of a clip or an embedding without its file is reported as lost; files that tell
 * nothing about themselves are left alone and named.
 */
export async function reconcile(
  folders: { clips: string; embeddings: string; classifications: string },
  known: readonly Result[],
  readRecipe: ReadRecipe,
): Promise<Reconciled> {
  const rows = new Set(known.map((result) => result.id))
  const clipIds = idsIn(folders.clips, clipEnding)
  const embeddingIds = idsIn(folders.embeddings, embeddingEnding)
  const onDisk = new Set([...clipIds, ...embeddingIds])
  const added: Result[] = []
  const unreadable: string[] = []
  const adopt = async (name: string, read: Promise<Result | null>): Promise<void> => {
    const result = await read.catch(() => null)
    if (result) added.push(result)
    else unreadable.push(name)
  }
  for (const id of clipIds.filter((id) => !rows.has(id)))
    await adopt(id + clipEnding, readClip(folders.clips, id, readRecipe))
  for (const id of embeddingIds.filter((id) => !rows.has(id)))
    await adopt(id + embeddingEnding, readEmbeddingFile(folders.embeddings, id, readRecipe))
  for (const id of idsIn(folders.classifications, framesEnding).filter((id) => !rows.has(id)))
    await adopt(id + framesEnding, readFrames(folders.classifications, id))
  const files = known.filter((result) => isPicture(result) || isEmbedding(result))
  const fileOf = (result: Result): [string, string] =>
    isPicture(result) ? [folders.clips, result.id + clipEnding] : [folders.embeddings, result.id + embeddingEnding]
  return {
    added,
    lost: files.filter(({ id }) => !onDisk.has(id)),
    changed: files.filter((one) => onDisk.has(one.id) && sizeOf(...fileOf(one)) !== one.bytes),
    unreadable,
  }
}

/** The result that a clip's file tells of; null when it tells of none. Throws when there is no such file. */
export async function readClip(folder: string, id: string, readRecipe: ReadRecipe): Promise<PictureResult | null> {
  const file = plainFile(folder, id + clipEnding)
  const recipe = await readRecipe(file)
  if (!recipe || !isOfPicture(recipe)) return null
  const { size, mtimeMs } = statSync(file)
  return pictureResult(id, Math.round(mtimeMs), size, recipe)
}

/** The same of an embedding's file. */
export async function readEmbeddingFile(
  folder: string,
  id: string,
  readRecipe: ReadRecipe,
): Promise<EmbeddingResult | null> {
  const file = plainFile(folder, id + embeddingEnding)
  const recipe = await readRecipe(file)
  if (!recipe || isOfPicture(recipe)) return null
  const { size, mtimeMs } = statSync(file)
  return embeddingResult(id, Math.round(mtimeMs), size, recipe)
}

const isOfPicture = (recipe: Recipe): recipe is PictureRecipe => pipelineOf(recipe.pipeline).makes !== 'embedding'

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

function sizeOf(folder: string, name: string): number | undefined {
  try {
    return statSync(plainFile(folder, name)).size
  } catch {
    return undefined
  }
}

export function pictureResult(id: string, createdAt: number, bytes: number, recipe: PictureRecipe): PictureResult {
  const { pipeline, settings } = recipe
  const { width, height } = settings
  const title = pipelineOf(pipeline).titleOf(settings)
  const [numFrames, fps] = 'numFrames' in settings ? [settings.numFrames, settings.fps] : [1, 1]
  return { id, kind: pipelines[pipeline].makes, createdAt, title, width, height, numFrames, fps, bytes, recipe }
}

export function embeddingResult(
  id: string,
  createdAt: number,
  bytes: number,
  recipe: RecipeOf<'embedding'>,
): EmbeddingResult {
  const title = pipelineOf(recipe.pipeline).titleOf(recipe.settings)
  return { id, kind: 'embedding', createdAt, title, bytes, recipe }
}
