import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { totalmem, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { isPicture } from '#app/contract/results.ts'
import { getWebpRecipe } from '#app/media/recipe-webp.ts'
import { readOwnRecipe } from '#main/studio/read-recipe.ts'
import { openLibrary } from './library.ts'

/**
 * A library as Frameloom 0.1.0 left it when it was killed, with recipes of version 1: a clip, its classification, a job
 * that ran and two that waited. Made by that program itself.
 */
const left = join(import.meta.dirname, '../../e2e/goldens/library-v1')
const clip = '0d62cc61-88b7-48aa-83d6-4ecedeae8f09'
const settings = {
  prompt: 'a red circle moving left on a black background',
  seed: 11,
  scheduler: 'EulerDiscreteScheduler',
  // Its field betaSchedule.
  schedulerConfig: { beta_schedule: 'linear' },
  freeu: { s1: 0.9, s2: 0.2, b1: 1.5, b2: 1.6 },
  forwardChunking: { chunkSize: 1, dim: 1 },
  attnProcessor: { processor: 'SlicedAttnProcessor', slice_size: 2 },
}

let dataDir: string
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'frameloom-v1-'))
  cpSync(left, dataDir, { recursive: true })
})
afterEach(() => rmSync(dataDir, { recursive: true }))

const open = () => openLibrary({ dataDir, readRecipe: readOwnRecipe, totalMemoryBytes: totalmem() })

test('a clip of the first version carries a recipe of version 1, which opens as one of version 2', async () => {
  const file = join(left, `clips/${clip}.webp`)
  expect(JSON.parse(getWebpRecipe(readFileSync(file))!)).toMatchObject({ frameloom: 1, model: { id: 'moving-shapes' } })
  expect(await readOwnRecipe(file)).toMatchObject({
    frameloom: 2,
    pipeline: 'text-to-video',
    settings,
    models: { model: [{ id: 'moving-shapes' }], motionAdapter: [{ id: 'moving-shapes-motion' }], loras: [] },
  })
})

test('its results and jobs are there, and nothing was set aside', async () => {
  const library = await open()
  expect(library.notices()).toEqual([])
  const [picture, classification] = [
    library.results().find(isPicture),
    library.results().find((one) => !isPicture(one)),
  ]
  expect(picture).toMatchObject({ id: clip, kind: 'clip', numFrames: 2, fps: 8, recipe: { frameloom: 2, settings } })
  expect(classification).toMatchObject({ kind: 'classification', clipId: clip, settings: { topK: 3 } })
  expect(
    library.restoredJobs.map(({ job, request }) => [job.pipeline, job.status, request.pipeline, request.source]),
  ).toEqual([
    ['text-to-video', 'interrupted', 'text-to-video', undefined],
    ['text-to-video', 'queued', 'text-to-video', undefined],
    ['video-classification', 'queued', 'video-classification', { clipId: clip }],
  ])
  expect(library.restoredJobs[1]?.request.settings).toMatchObject({ ...settings, prompt: 'waiting' })
  library.close()
})

test('without its database the clip comes back from its file', async () => {
  rmSync(join(dataDir, 'library.sqlite'))
  const library = await open()
  expect(library.picture(clip)).toMatchObject({ kind: 'clip', recipe: { frameloom: 2, settings } })
  library.close()
})
