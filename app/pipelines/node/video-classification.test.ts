import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { defaultCompute } from '#app/contract/compute.ts'
import type { ClipSource, EngineCalls, LocatedModel } from '#app/contract/engine.ts'
import type { FrameSampling } from '#app/contract/settings.ts'
import { chooseFrames } from '#app/media/choose-frames.ts'
import { openClip } from '#app/media/node/decode.ts'
import { findFfmpeg } from '#app/media/node/find-ffmpeg.ts'
import { outputOf } from '#app/media/node/run-program.ts'
import { goldenPath } from '#app/media/node/test-goldens.ts'
import { resourcesDir } from '#main/paths.ts'
import { scanModels } from '#app/engine/handlers/scan-models.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import type { RunContext } from './run.ts'
import { runVideoClassification } from './video-classification.ts'

const numFrames = 8
const context: RunContext = {
  signal: new AbortController().signal,
  checkCancelled: () => undefined,
  stage: () => undefined,
  controls: () => undefined,
}
let folder: string
let clip: string
let model: LocatedModel

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-classify-'))
  clip = join(folder, 'large.mp4')
  const { ffmpeg } = await findFfmpeg()
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=1920x1080:rate=30:duration=8']
  await outputOf(ffmpeg, ['-v', 'error', ...source, '-c:v', 'libx264', '-preset', 'ultrafast', clip], {
    idleMs: 60_000,
  })
  const roots = [{ folder: join(resourcesDir(), 'demo-models'), source: 'bundled' as const }]
  const { models } = await scanModels({ roots }, context)
  model = models.find(({ id }) => id === 'moving-shapes-timesformer')!
})
afterAll(() => rm(folder, { recursive: true }))

type Classified = Extract<EngineCalls['run']['result'], { kind: 'labels' }> & { stages: string[] }

async function classify(
  source: ClipSource,
  sampling: FrameSampling,
  seen: () => void = () => undefined,
): Promise<Classified> {
  const settings = { model: model.id, sampling, topK: 31, compute: defaultCompute }
  const tools = { sessions: new SessionCache(), referenceOf: () => Promise.reject(new Error('nothing is saved')) }
  const request = {
    pipeline: 'video-classification',
    settings,
    models: { model: [model] },
    source,
    appVersion: '0.0.0',
  } as const
  const running = runVideoClassification(tools, request, context)
  const stages: string[] = []
  for (;;) {
    const { done, value } = await running.next()
    seen()
    if (done) {
      if (value.kind !== 'labels') throw new Error('it gave no labels')
      return { ...value, stages }
    }
    if (value.type === 'stage') stages.push(value.stage)
  }
}

test('many windows of large frames: the frames themselves are never in memory together', async () => {
  const held = (): number => process.memoryUsage().arrayBuffers
  const before = held()
  let most = 0
  const windows: FrameSampling = { kind: 'windows', count: 7 }
  const { classification, pixels, stages } = await classify({ file: clip, name: 'large.mp4' }, windows, () => {
    most = Math.max(most, held() - before)
  })
  expect(classification.windows).toHaveLength(7)
  expect(pixels).toMatchObject({ width: 256, height: 144, count: 56 })
  expect(stages).toContain('Frame 56 of 56')
  expect(stages).toContain('Window 7 of 7')
  // Together they would be 348 MB. What is not collected yet counts, too.
  expect(most).toBeLessThan(180e6)
})

test('frames that were decoded elsewhere give the same labels as the file', async () => {
  const file = join(folder, 'frames.rgb')
  const even: FrameSampling = { kind: 'even' }
  const small = goldenPath('h264-bframes.mp4')
  const { frameCount, frames, width, height } = await openClip(small)
  const indices = chooseFrames(even, numFrames, frameCount).windows.flat()
  const handle = await open(file, 'w')
  for await (const frame of frames(indices)) await handle.write(frame.data)
  await handle.close()
  const pixels = { width, height, count: indices.length, file }
  const sent = { name: 'small.mp4', pixels, indices, frameCount }
  const { classification } = await classify(sent, even)
  expect(classification).toEqual((await classify({ file: small, name: 'small.mp4' }, even)).classification)

  const lacking = { ...sent, pixels: { ...pixels, count: pixels.count - 1 } }
  await expect(classify(lacking, even)).rejects.toThrow('small.mp4: 7 frames of 160x120 need')
  const others = { ...sent, indices: indices.map((index) => index + 1) }
  await expect(classify(others, even)).rejects.toThrow(/frame \d+ is needed/)
})
