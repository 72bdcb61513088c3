import { cp, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, parse } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Precision } from '#app/contract/compute.ts'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { chooseFrames } from '#app/media/choose-frames.ts'
import { openClip } from '#app/media/node/decode.ts'
import { vqModel } from '#app/models/vq-model.ts'
import { classify } from '#app/pipelines/video-classification.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { int64 } from '#app/tensor/tensor.ts'
import { resourcesDir } from '#main/paths.ts'
import { normalValues } from '../kernels/normal-values.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { openClassifier } from '#app/pipelines/node/classifier.ts'
import { pixelsOf } from '#app/pipelines/node/preview.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { SessionCache } from '../session-cache.ts'

// What 8 bits cost, on the bundled models. The figures of a run: docs/decisions/precision.md, "int8: what is in 8 bits,
// and how".

const demo = join(resourcesDir(), 'demo-models')
const clips = (await readdir(join(demo, 'clips'))).filter((name) => !name.endsWith('.json'))
const prompt = 'a red circle moving left on a black background'
const cache = await mkdtemp(join(tmpdir(), 'frameloom-accuracy-'))
beforeAll(() => {
  vi.stubEnv('FRAMELOOM_CACHE', cache)
  vi.stubEnv('FRAMELOOM_RESOURCES', resourcesDir())
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await rm(cache, { recursive: true, force: true })
})

function sessionsIn(precision: Precision): SessionCache {
  const sessions = new SessionCache()
  sessions.configure({ compute: { precision } })
  return sessions
}

async function inBoth<T>(run: (sessions: SessionCache) => Promise<T>): Promise<[float32: T, int8: T]> {
  return [await run(sessionsIn('float32')), await run(sessionsIn('int8'))]
}

const openVideo = (sessions: SessionCache) =>
  openTextToVideo(sessions, join(demo, 'moving-shapes'), join(demo, 'moving-shapes-motion'), {
    forwardChunking: null,
    scheduler: null,
    eta: 0,
  })

describe('int8 against float32', () => {
  it('every bundled clip has the label of its name, with a probability within 2 %', async () => {
    const [float32, int8] = await inBoth(async (sessions) => {
      const { parts } = await openClassifier(sessions, join(demo, 'moving-shapes-timesformer'), 'demo')
      const found: Record<string, { label: string; probability: number }> = {}
      for (const name of clips) {
        const clip = await openClip(join(demo, 'clips', name), {})
        const { windows } = chooseFrames({ kind: 'even' }, parts.numFrames, clip.frameCount)
        const running = classify(parts, clip, windows, { topK: 1, thumbnail: (frame) => frame })
        let next = await running.next()
        while (!next.done) next = await running.next()
        found[name] = next.value.labels[0]!
      }
      return found
    })
    expect(clips.length).toBeGreaterThan(5)
    for (const name of clips) {
      // red-circle-moving-left.mp4 shows "circle moving left".
      const label = parse(name).name.split('-').slice(1).join(' ')
      expect([float32[name]!.label, int8[name]!.label], name).toEqual([label, label])
      expect(Math.abs(int8[name]!.probability - float32[name]!.probability), name).toBeLessThan(0.02)
    }
    expect(int8).not.toEqual(float32)
  })

  it('the frames of a clip are within 40 dB', async () => {
    const [float32, int8] = await inBoth(async (sessions) => {
      const { parts } = await openVideo(sessions)
      const request = {
        prompt,
        negativePrompt: '',
        width: 64,
        height: 64,
        numFrames: 8,
        numInferenceSteps: 20,
        guidanceScale: 4,
        seed: 1,
        clipSkip: null,
      }
      const images = []
      for await (const event of textToVideo(parts, request, () => null))
        if (event.type === 'frame') images.push(event.image)
      return pixelsOf(images).data
    })
    const squares = float32.reduce((sum, value, i) => sum + (value - int8[i]!) ** 2, 0)
    expect(squares).toBeGreaterThan(0)
    expect(10 * Math.log10(255 ** 2 / (squares / float32.length))).toBeGreaterThan(40)
  })

  it('an image is encoded to the same codes, and its reconstruction is within 5 %', async () => {
    // Of its own, because weights in 8 bits are kept beside the others.
    const folder = join(cache, 'movq')
    await cp(join(import.meta.dirname, '../../../e2e/goldens/checkpoints/movq'), folder, { recursive: true })
    const { config, weights } = await openCheckpoint(folder)
    const sample = normalValues([1, 3, 32, 32], 7)
    const [float32, int8] = await inBoth(async (sessions) => {
      const model = new LoadedModel(vqModel, config, weights, sessions)
      return toFloat32((await model.run('forward', { sample })).sample).data
    })
    const largest = float32.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    const apart = float32.reduce((most, value, i) => Math.max(most, Math.abs(value - int8[i]!)), 0)
    expect(apart).toBeGreaterThan(0)
    expect(apart / largest).toBeLessThan(0.05)
  })

  it('the text embedding points the same way, to four digits', async () => {
    const [a, b] = await inBoth(async (sessions) => {
      const { parts } = await openVideo(sessions)
      const { ids } = parts.tokenizer.encodePrompt(prompt, { maxLength: 77 })
      return (await parts.encodeText(int64([1, ids.length], ids), 0)).data
    })
    const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0)
    const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b))
    expect(cosine).toBeGreaterThan(0.9999)
    expect(b).not.toEqual(a)
  })
})
