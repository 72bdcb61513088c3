import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { readOwnRecipe } from '#main/studio/read-recipe.ts'
import { defaultSettings } from '../contract/pipelines.ts'
import type { RecipeOf } from '../contract/recipe.ts'
import { newId } from './ids.ts'
import type { Library } from './library.ts'
import { createTestLibrary } from './test-library.ts'

let store: ReturnType<typeof createTestLibrary>
let library: Library
const reopen = async (): Promise<Library> => (library = await store.open({ readRecipe: readOwnRecipe }))
beforeEach(async () => {
  store = createTestLibrary()
  await reopen()
})
afterEach(() => {
  store.remove()
})

const recipe = (prompt: string): RecipeOf<'embedding'> => ({
  frameloom: 2,
  appVersion: '0.1.0',
  pipeline: 'text-to-embedding',
  settings: { ...defaultSettings('text-to-embedding'), model: 'prior', prompt },
  models: { model: [{ id: 'prior', name: 'Prior', sha256: {} }] },
})

/** Writes an embedding's file, as the engine does. */
const write = (id: string, prompt: string): Promise<void> =>
  writeSafetensors(
    library.embeddingFile(id),
    { image_embeds: float32([1, 2], [1, 2]), negative_image_embeds: float32([1, 2], [3, 4]) },
    { recipe: JSON.stringify(recipe(prompt)) },
  )

test('an embedding survives a restart, is deleted into the bin, and comes back', async () => {
  const id = newId()
  await write(id, 'a fox')
  const added = library.addEmbedding(id, recipe('a fox'), 123, 5)
  expect(added).toMatchObject({ id, kind: 'embedding', title: 'a fox', bytes: 123, createdAt: 5 })
  expect(library.embedding(id)).toEqual(added)
  expect(() => library.picture(id)).toThrow(/not in the library/)
  library.removeResult(id)
  expect(readdirSync(store.at('embeddings'))).toEqual([])
  expect(readdirSync(store.at('bin'))).toEqual([`${id}.safetensors`])
  expect(library.restoreResult(id)).toEqual(added)
  expect((await reopen()).results()).toEqual([added])
})

test('a file whose row was never committed comes back with its recipe; one that is no embedding is named', async () => {
  const [id, other] = [newId(), newId()]
  await write(id, 'from the file')
  expect(await library.adoptEmbedding(other)).toBeNull()
  writeFileSync(library.embeddingFile(other), 'x'.repeat(40))
  await reopen()
  expect(library.result(id)).toMatchObject({
    kind: 'embedding',
    title: 'from the file',
    recipe: recipe('from the file'),
  })
  expect(library.notices().join()).toMatch(new RegExp(`${other}.safetensors`))
  expect(readdirSync(store.at('embeddings')).length).toBe(2)
})

test('a row whose file is gone is set aside, and one that was never written is not recorded', async () => {
  const id = newId()
  await write(id, 'gone')
  library.addEmbedding(id, recipe('gone'), 1, 1)
  rmSync(join(store.at('embeddings'), `${id}.safetensors`))
  await reopen()
  expect(library.results()).toEqual([])
  expect(() => library.addEmbedding(newId(), recipe('x'), 1, 1)).toThrow(/was not written/)
})
