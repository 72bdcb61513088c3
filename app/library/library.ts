import type { DatabaseSync } from 'node:sqlite'
import { existsSync, statSync } from 'node:fs'
import type { Pixels } from '../contract/engine.ts'
import { ProblemError } from '../contract/errors.ts'
import { isFinished } from '../contract/jobs.ts'
import type { PictureRecipe, RecipeOf } from '../contract/recipe.ts'
import {
  isEmbedding,
  isPicture,
  type ClassificationResult,
  type EmbeddingResult,
  type PictureResult,
  type Result,
} from '../contract/results.ts'
import type { AppSettings } from '../contract/settings.ts'
import { openBin } from './bin.ts'
import { closeDatabase, openDatabase } from './database.ts'
import { readFramesHeader, writeFrames } from './frames-file.ts'
import { inputsOf, openInputs, type Inputs } from './inputs.ts'
import { insideStore, isPlainName } from './inside-store.ts'
import { deleteJob, putJob, restoreJobs, type StoredJob } from './jobs.ts'
import { inTransaction } from './migrate.ts'
import { databaseNotices, fileNotices } from './notices.ts'
import {
  databaseIn,
  emptyScratch,
  makeDataFolder,
  openFolder,
  ownFile,
  removeOwn,
  removeParts,
  strangersIn,
} from './own-folders.ts'
import { openProcessorMaps, type ProcessorMaps } from './processor-maps.ts'
import {
  clipEnding,
  embeddingEnding,
  embeddingResult,
  framesEnding,
  pictureResult,
  readClip,
  readEmbeddingFile,
  reconcile,
  type ReadRecipe,
} from './reconcile.ts'
import { deleteResult, putResult, readResults, setResultAside } from './results.ts'
import { restoreRows } from './restore-rows.ts'
import { defaultSettings, readSettings, writeSettings } from './settings.ts'
import { openUploads, type Uploads } from './uploads.ts'
import { createWrites, type Write, type Writes } from './writes.ts'

export type StoredFrames = { file: string; pixelsAt: number; width: number; height: number; count: number }

export type Library = {
  /** What was found wrong and repaired at the start, and what is wrong now, for the user. */
  notices(): readonly string[]
  settings(): AppSettings
  saveSettings(settings: AppSettings): void
  /** Newest first. */
  results(): Result[]
  result(id: string): Result | undefined
  /** Where the engine is to write a clip or a still before `addPicture`. */
  pictureFile(id: string): string
  /** Records a picture whose file is there whole. */
  addPicture(id: string, recipe: PictureRecipe, bytes: number, createdAt: number): PictureResult
  /** Records a picture whose file says what it is, when there is one; for a run whose end was not heard. */
  adoptPicture(id: string): Promise<PictureResult | null>
  /** The clip or still of that id. Throws not-found. */
  picture(id: string): PictureResult
  /** The same three for an embedding. */
  embeddingFile(id: string): string
  addEmbedding(id: string, recipe: RecipeOf<'embedding'>, bytes: number, createdAt: number): EmbeddingResult
  adoptEmbedding(id: string): Promise<EmbeddingResult | null>
  /** The embedding of that id. Throws not-found. */
  embedding(id: string): EmbeddingResult
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
  /** Throws `disk`: a job is taken when it is kept. */
  addJob(job: StoredJob): void
  /** What becomes of it: never fails, and is written when the disk can be. */
  putJob(job: StoredJob): void
  removeJob(id: string): void
  uploads: Uploads
  inputs: Inputs
  processorMaps: ProcessorMaps
  /** Removes the halves of files that nobody writes any more: neither this process nor those of these numbers. */
  removeParts(writers: readonly (number | undefined)[]): void
  /** Where a model of that name is to be written: a new folder among the user's models. Throws bad-input. */
  newModelFolder(name: string): string
  /** A folder for files of the moment, emptied at each start. */
  scratch: string
  close(): void
}

export type LibraryOptions = {
  dataDir: string
  readRecipe: ReadRecipe
  totalMemoryBytes: number
  waitMs?: number
  /** Between two attempts at what the disk refused. */
  retryMs?: number
  /** Hears when the disk begins to refuse what the library writes. */
  onTrouble?: (message: string) => void
}

/**
 * Opens the store below `dataDir`, made when missing, and repairs it; what cannot be used is moved aside or passed over
 * and told. Throws as `openDatabase` and `makeDataFolder` do.
 */
export async function openLibrary(options: LibraryOptions): Promise<Library> {
  const { dataDir, readRecipe, totalMemoryBytes, waitMs, retryMs, onTrouble = () => {} } = options
  makeDataFolder(dataDir)
  const databaseFile = databaseIn(dataDir)
  const hole = holeAt(databaseFile)
  const { db, setAside, unwritable } = openDatabase(databaseFile, waitMs === undefined ? {} : { waitMs })
  const writes = createWrites(databaseFile, onTrouble, retryMs)
  const from = setAside || unwritable ? restoreRows(db, setAside ?? databaseFile) : ''

  const notices: string[] = []
  const folder = (name: string): string => openFolder(dataDir, name, notices)
  const [clips, classifications, uploadFolder] = [folder('clips'), folder('classifications'), folder('uploads')]
  const inputFolder = folder('inputs')
  const embeddings = folder('embeddings')
  const folders = [clips, embeddings, classifications, uploadFolder]
  const sweep = (writers: readonly (number | undefined)[]): void => {
    for (const one of [...folders, inputFolder]) removeParts(one, writers)
  }
  sweep([])
  const scratch = folder('scratch')
  emptyScratch(dataDir, scratch)

  const stored = readResults(db)
  const found = await reconcile({ clips, embeddings, classifications }, stored.results, readRecipe)
  const gone = new Set(found.lost)
  const kept = stored.results.filter((one) => !gone.has(one))
  const all = new Map([...kept, ...found.added].map((result) => [result.id, result]))
  const restored = readSettings(db, defaultSettings(totalMemoryBytes))
  const jobs = restoreJobs(db, (id) => all.has(id))
  const { repairs: mapRepairs, ...processorMaps } = openProcessorMaps(db, writes.now)
  repair(db, writes, [
    ...stored.repairs,
    ...found.added.map((result) => putResult(db, result)),
    ...found.lost.map((result) => setResultAside(db, result, 'its file is gone')),
    ...restored.repairs,
    ...jobs.repairs,
    ...mapRepairs,
  ])
  const vanished = all.size + found.unreadable.length > 0 ? hole : null
  const bad = stored.repairs.length + jobs.bad + mapRepairs.length
  notices.push(
    ...databaseNotices(databaseFile, { setAside, unwritable, from, vanished, bad }),
    ...fileNotices(found, folders.flatMap(strangersIn)),
    ...restored.notices,
  )

  let { settings } = restored
  const restoredJobs = jobs.jobs
  const uploads = openUploads(uploadFolder, restoredJobs.flatMap(uploadOf))
  for (const one of restoredJobs)
    if (isFinished(one.job.status)) for (const upload of uploadOf(one)) uploads.release(upload, Date.now())
  const inputs = openInputs(inputFolder, namedBy([...all.values()], restoredJobs))
  const bin = openBin(folder('bin'))
  const pictureFile = (id: string): string => insideStore(clips, id + clipEnding)
  const embeddingFile = (id: string): string => insideStore(embeddings, id + embeddingEnding)
  const framesFile = (id: string): string => insideStore(classifications, id + framesEnding)
  const placeOf = (result: Result): [folder: string, name: string] =>
    isPicture(result)
      ? [clips, result.id + clipEnding]
      : isEmbedding(result)
        ? [embeddings, result.id + embeddingEnding]
        : [classifications, result.id + framesEnding]
  const add = <R extends Result>(result: R): R => {
    writes.late(putResult(db, result))
    all.set(result.id, result)
    return result
  }

  return {
    notices() {
      const trouble = writes.trouble()
      return trouble === null ? notices : [...notices, trouble]
    },
    settings: () => settings,
    saveSettings(next) {
      writes.now(() => {
        writeSettings(db, next)
      })
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
      requireFile(pictureFile(id))
      return add(pictureResult(id, createdAt, bytes, recipe))
    },
    async adoptPicture(id) {
      const result = existsSync(pictureFile(id)) ? await readClip(clips, id, readRecipe).catch(() => null) : null
      return result && add(result)
    },
    embeddingFile,
    embedding(id) {
      const result = all.get(id)
      if (isEmbedding(result)) return result
      throw new ProblemError('not-found', 'This is not in the library any more.', { field: 'mix' })
    },
    addEmbedding(id, recipe, bytes, createdAt) {
      requireFile(embeddingFile(id))
      return add(embeddingResult(id, createdAt, bytes, recipe))
    },
    async adoptEmbedding(id) {
      const isThere = existsSync(embeddingFile(id))
      const result = isThere ? await readEmbeddingFile(embeddings, id, readRecipe).catch(() => null) : null
      return result && add(result)
    },
    async addClassification(result, pixels) {
      const file = framesFile(result.id)
      await writeFrames(file, result, pixels).catch(async (error: unknown) => {
        // What fails after the file got its name leaves it whole, and the next start would find it.
        if (!(await readFramesHeader(file).catch(() => null))) throw error
      })
      return add(result)
    },
    async frames(id) {
      const result = all.get(id)
      if (result?.kind !== 'classification' || !existsSync(framesFile(id))) return null
      const file = framesFile(id)
      const frames = await readFramesHeader(file)
      return frames && { file, pixelsAt: frames.pixelsAt, ...frames.header.frames }
    },
    removeResult(id) {
      const result = all.get(id)
      if (!result) throw new ProblemError('not-found', 'This result is not in the library any more.')
      const [where, name] = placeOf(result)
      if (!bin.put(result, ownFile(where, name))) removeOwn(where, name)
      writes.late(deleteResult(db, id))
      all.delete(id)
    },
    restoreResult(id) {
      const deleted = bin.find(id)
      const result = deleted && bin.takeBack(id, ownFile(...placeOf(deleted)))
      if (!result) throw new ProblemError('not-found', 'This is not in the bin any more.')
      return add(result)
    },
    restoredJobs,
    addJob: (job) => writes.now(putJob(db, job).run),
    putJob: (job) => writes.late(putJob(db, job)),
    removeJob: (id) => writes.late(deleteJob(db, id)),
    uploads,
    inputs,
    processorMaps,
    removeParts: (writers) => sweep([process.pid, ...writers]),
    newModelFolder(name) {
      const refuse = (message: string): never => {
        throw new ProblemError('bad-input', message, { field: 'name' })
      }
      if (!isPlainName(name)) refuse(`${JSON.stringify(name)} cannot be the name of a folder.`)
      const path = insideStore(openFolder(dataDir, 'models', []), name)
      return existsSync(path) ? refuse(`There is a model folder ${JSON.stringify(name)} already.`) : path
    },
    scratch,
    close() {
      writes.close()
      closeDatabase(db)
    },
  }
}

function requireFile(file: string): void {
  if (!existsSync(file)) throw new ProblemError('disk', `The file ${file} was not written.`, { file })
}

/** What is wrong with a database that says nothing; at the first start it is not there either. */
function holeAt(file: string): string | null {
  try {
    return statSync(file).size === 0 ? 'is empty' : null
  } catch {
    return 'is missing'
  }
}

/** All at once where that is possible: a commit waits for the disk. */
function repair(db: DatabaseSync, writes: Writes, repairs: readonly Write[]): void {
  if (repairs.length === 0) return
  try {
    writes.now(() => {
      inTransaction(db, () => {
        for (const { run } of repairs) run()
      })
    })
  } catch {
    for (const one of repairs) writes.late(one)
  }
}

/** The content of all that results were made of, and that jobs need. */
const namedBy = (results: readonly Result[], jobs: readonly StoredJob[]): Set<string> =>
  new Set(
    [...results.flatMap((one) => ('recipe' in one ? [one.recipe] : [])), ...jobs.map(({ request }) => request)]
      .flatMap(inputsOf)
      .map(({ sha256 }) => sha256),
  )

/** The file of a job that will run, or may be run again. */
export const uploadOf = ({ request }: StoredJob) =>
  request.source && 'upload' in request.source ? [request.source.upload] : []
