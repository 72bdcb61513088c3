import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { LocatedModel } from '#app/contract/engine.ts'
import { modelEntrySchema } from '#app/contract/models.ts'
import { bundledModelsDir } from '#main/paths.ts'
import type { CallContext } from '../call.ts'
import { scanModels } from './scan-models.ts'

const context: CallContext = {
  signal: new AbortController().signal,
  checkCancelled() {},
  stage() {},
  controls: () => undefined,
}

/** What is found below these folders, and the bundled models. */
export async function scan(...roots: string[]): Promise<LocatedModel[]> {
  const folders = roots.map((folder) => ({ folder, source: 'folder' as const }))
  const { models } = await scanModels(
    { roots: [...folders, { folder: bundledModelsDir(), source: 'bundled' }] },
    context,
  )
  // The page parses them so: nothing here may be refused there.
  for (const model of models) modelEntrySchema.parse(model)
  return models
}

/** The same without the bundled ones. */
export const scanOwn = async (...roots: string[]): Promise<LocatedModel[]> =>
  (await scan(...roots)).filter((model) => !model.demo)

export function writeTo(path: string, content: unknown): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content))
}
