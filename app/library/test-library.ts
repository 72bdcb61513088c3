import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Job } from '../contract/jobs.ts'
import { recipeSchema } from '../contract/recipe.ts'
import { newId } from './ids.ts'
import { openLibrary, type Library, type LibraryOptions } from './library.ts'
import { parseJson } from './rows.ts'
import { testRecipe } from './test-results.ts'

/** Here a clip file is the recipe's JSON: how it is packed into a WebP is another module's test. */
export const readRecipe: LibraryOptions['readRecipe'] = (file) => {
  const parsed = parseJson(recipeSchema, readFileSync(file, 'utf8'))
  return Promise.resolve(parsed.ok ? parsed.value : null)
}

/** A data folder of a test's own, and its library. */
export function createTestLibrary() {
  const dataDir = mkdtempSync(join(tmpdir(), 'frameloom-library-'))
  let library: Library | undefined
  const close = (): void => {
    library?.close()
    library = undefined
  }
  return {
    dataDir,
    database: join(dataDir, 'library.sqlite'),
    at: (...names: string[]): string => join(dataDir, ...names),
    async open(options: Partial<LibraryOptions> = {}): Promise<Library> {
      close()
      library = await openLibrary({ dataDir, readRecipe, totalMemoryBytes: 2 ** 33, waitMs: 50, ...options })
      return library
    },
    close,
    remove(): void {
      close()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** Writes a clip's file, as the engine does. Returns its size. */
export function writeClip(library: Library, id: string, prompt: string): number {
  const file = Buffer.from(JSON.stringify(testRecipe(prompt)))
  writeFileSync(library.pictureFile(id), file)
  return file.length
}

export function addClip(library: Library, prompt: string, createdAt = 1000): string {
  const id = newId()
  library.addPicture(id, testRecipe(prompt), writeClip(library, id, prompt), createdAt)
  return id
}

export const testJob = (status: Job['status'], more: Partial<Job> = {}): Job => ({
  id: newId(),
  pipeline: 'text-to-video',
  status,
  createdAt: 1,
  title: status,
  stage: 'Step 1 of 4',
  step: 1,
  totalSteps: 4,
  progress: 0.25,
  freeu: null,
  loraScales: {},
  notes: [],
  ...more,
})
