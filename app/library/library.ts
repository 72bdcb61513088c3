import { existsSync, mkdirSync, rmSync } from 'node:fs'
import type { Pixels } from '../contract/engine.ts'
import { ProblemError } from '../contract/errors.ts'
import { isFinished } from '../contract/jobs.ts'
import type { Recipe } from '../contract/recipe.ts'
import { isPicture, type ClassificationResult, type PictureResult, type Result } from '../contract/results.ts'
import type { AppSettings } from '../contract/settings.ts'
import { openBin } from './bin.ts'
import { closeDatabase, openDatabase } from './database.ts'
import { readFramesHeader, writeFrames } from './frames-file.ts'
import { insideStore, isPlainName } from './inside-store.ts'
import { deleteJob, putJob, restoreJobs, type StoredJob } from './jobs.ts'
import { inTransaction } from './migrate.ts'
import { openProcessorMaps, type ProcessorMaps } from './processor-maps.ts'
import { clipEnding, framesEnding, pictureResult, reconcile, removeParts, type ReadRecipe } from './reconcile.ts'
import { deleteResult, putResult, readResults, setResultAside } from './results.ts'
import { restoreRows } from './restore-rows.ts'
import { defaultSettings, readSettings, writeSettings } from './settings.ts'
import { openUploads, type Uploads } from './uploads.ts'

export type StoredFrames = { file: string; pixelsAt: number; width: number; height: number; count: number }

export type Library = {
  /** What was found wrong and repaired at the start, for the user. */
  notices: readonly string[]
  settings(): AppSettings
  saveSettings(settings: AppSettings): void
  /** Newest first. */
  results(): Result[]
  result(id: string): Result | undefined
  /** Where the engine is to write a clip or a still before `addPicture`. */
  pictureFile(id: string): string
  /** Records a picture whose file is there whole. */
  addPicture(id: string, recipe: Recipe, bytes: number, createdAt: number): PictureResult
  /** The clip or still of that id. Throws not-found. */
  picture(id: string): PictureResult
  addClassification(result: ClassificationResult, pixels: Pixels): Promise<ClassificationResult>
  frames(id: string): Promise<StoredFrames | null>
  /**
   * Takes a result's file into the bin, then its row away: a crash between leaves a row that the next start drops,
   * never a clip that comes back.
   */
  removeResult(id: string): void
  /** Brings back what was removed since the start. Throws not-found. */
  restoreResult(id: string): Result
  /** Jobs of the last run. */
  restoredJobs: readonly StoredJob[]
  putJob(job: StoredJob): void
  removeJob(id: string): void
  uploads: Uploads
  processorMaps: ProcessorMaps
  /** Where a model of that name is to be written: a new folder among the user's models. Throws bad-input. */
  newModelFolder(name: string): string
  /** A folder for files of the moment, emptied at each start. */
  scratch: string
  close(): void
}

export type LibraryOptions = { dataDir: string; readRecipe: ReadRecipe; totalMemoryBytes: number; waitMs?: number }

/** Opens the store below `dataDir`, made when missing, and repairs it. Throws as `openDatabase` does. */
export async function openLibrary({ dataDir, readRecipe, totalMemoryBytes, waitMs }: LibraryOptions): Promise<Library> {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const folder = (name: string): string => {
    const path = insideStore(dataDir, name)
    mkdirSync(path, { recursive: true, mode: 0o700 })
    return path
  }
  const { db, setAside } = openDatabase(insideStore(dataDir, 'library.sqlite'), waitMs === undefined ? {} : { waitMs })
  const notices: string[] = []
  if (setAside) restoreRows(db, setAside)
  const clips = folder('clips')
  const classifications = folder('classifications')
  for (const part of [clips, classifications]) removeParts(part)
  rmSync(insideStore(dataDir, 'scratch'), { recursive: true, force: true })

  const { results, bad } = readResults(db)
  const { added, lost, unreadable } = await reconcile({ clips, classifications }, results, readRecipe)
  inTransaction(db, () => {
    for (const result of added) putResult(db, result)
  })
  for (const result of lost) setResultAside(db, result.id, JSON.stringify(result), 'its file is gone')
  if (setAside) {
    notices.push(
      `The library file was damaged. It was kept as ${setAside}, and a new one was made from what could be read and from the clips.`,
    )
  }
  if (added.length > 0) notices.push(`${count(added.length, 'result')} came back from the files of the library.`)
  if (bad > 0 && !setAside) notices.push(`${count(bad, 'row')} of the library could not be read and were set aside.`)
  if (lost.length > 0)
    notices.push(`${count(lost.length, 'clip')} of the library had no file any more: ${titles(lost)}.`)
  if (unreadable.length > 0)
    notices.push(
      `${count(unreadable.length, 'file')} could not be read as clips of the studio: ${unreadable.slice(0, 3).join(', ')}.`,
    )

  const gone = new Set(lost)
  const all = new Map([...results.filter((one) => !gone.has(one)), ...added].map((result) => [result.id, result]))
  const restoredSettings = readSettings(db, defaultSettings(totalMemoryBytes))
  notices.push(...restoredSettings.notices)
  let settings = restoredSettings.settings
  const restoredJobs = restoreJobs(db)
  const uploads = openUploads(folder('uploads'), restoredJobs.flatMap(uploadOf))
  for (const stored of restoredJobs)
    if (isFinished(stored.job.status)) for (const upload of uploadOf(stored)) uploads.release(upload, Date.now())
  const bin = openBin(folder('bin'))
  const pictureFile = (id: string): string => insideStore(clips, id + clipEnding)
  const fileOf = (result: Result): string =>
    isPicture(result) ? pictureFile(result.id) : insideStore(classifications, result.id + framesEnding)

  return {
    notices,
    settings: () => settings,
    saveSettings(next) {
      writeSettings(db, next)
      settings = next
    },
    results: () => [...all.values()].sort((a, b) => b.createdAt - a.createdAt),
    result: (id) => all.get(id),
    pictureFile,
    picture(id) {
      const result = all.get(id)
      if (isPicture(result)) return result
      throw new ProblemError('not-found', 'This is not in the library any more.', { field: 'source' })
    },
    addPicture(id, recipe, bytes, createdAt) {
      const file = pictureFile(id)
      if (!existsSync(file)) throw new ProblemError('disk', `The file ${file} was not written.`, { file })
      const result = pictureResult(id, createdAt, bytes, recipe)
      putResult(db, result)
      all.set(id, result)
      return result
    },
    async addClassification(result, pixels) {
      await writeFrames(fileOf(result), result, pixels)
      putResult(db, result)
      all.set(result.id, result)
      return result
    },
    async frames(id) {
      const result = all.get(id)
      if (!result || isPicture(result) || !existsSync(fileOf(result))) return null
      const file = fileOf(result)
      const found = await readFramesHeader(file)
      return found && { file, pixelsAt: found.pixelsAt, ...found.header.frames }
    },
    removeResult(id) {
      const result = all.get(id)
      if (!result) throw new ProblemError('not-found', 'This result is not in the library any more.')
      bin.put(result, fileOf(result))
      deleteResult(db, id)
      all.delete(id)
    },
    restoreResult(id) {
      const deleted = bin.find(id)
      const result = deleted && bin.takeBack(id, fileOf(deleted))
      if (!result) throw new ProblemError('not-found', 'This is not in the bin any more.')
      putResult(db, result)
      all.set(id, result)
      return result
    },
    restoredJobs,
    putJob: (job) => putJob(db, job),
    removeJob: (id) => deleteJob(db, id),
    uploads,
    processorMaps: openProcessorMaps(db),
    newModelFolder(name) {
      const refuse = (message: string): never => {
        throw new ProblemError('bad-input', message, { field: 'name' })
      }
      if (!isPlainName(name)) refuse(`${JSON.stringify(name)} cannot be the name of a folder.`)
      const path = insideStore(folder('models'), name)
      return existsSync(path) ? refuse(`There is a model folder ${JSON.stringify(name)} already.`) : path
    },
    scratch: folder('scratch'),
    close: () => closeDatabase(db),
  }
}

/** The file of a job that will run, or may be run again. */
export const uploadOf = ({ request }: StoredJob) =>
  request.source && 'upload' in request.source ? [request.source.upload] : []

const count = (n: number, what: string): string => `${n} ${what}${n === 1 ? '' : 's'}`
const titles = (results: readonly Result[]): string =>
  results
    .slice(0, 3)
    .map((result) => `"${result.title.slice(0, 60)}"`)
    .join(', ')
