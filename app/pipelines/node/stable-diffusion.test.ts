import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { resourcesDir } from '#main/paths.ts'
import { openTextToImage } from './text-to-image.ts'
import { openTextToVideo } from './text-to-video.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-schedule-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('an old schedule is brought up to date for stills, as in the reference, and not for clips', async () => {
  const demo = join(resourcesDir(), 'demo-models')
  await cp(join(demo, 'moving-shapes'), folder, { recursive: true })
  const config = { _class_name: 'DDIMScheduler', timestep_spacing: 'leading', clip_sample: true }
  await writeFile(join(folder, 'scheduler/scheduler_config.json'), JSON.stringify(config))
  const sessions = new SessionCache()
  const options = { forwardChunking: null, scheduler: null, eta: 0 }
  const still = await openTextToImage(sessions, folder, options)
  const clip = await openTextToVideo(sessions, folder, join(demo, 'moving-shapes-motion'), options)
  expect(still.parts.createScheduler(4).timesteps).toEqual([751, 501, 251, 1])
  expect(clip.parts.createScheduler(4).timesteps).toEqual([750, 500, 250, 0])
  const original = ({ parts }: typeof still | typeof clip): number =>
    parts.createScheduler(4).step(new Float32Array(1), 3, Float32Array.of(5), () => new Float32Array(1))
      .predOriginalSample[0]!
  expect(original(still)).toBeGreaterThan(4)
  expect(original(clip)).toBe(1)
})
