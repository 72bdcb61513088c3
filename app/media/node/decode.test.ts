import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { toProblem } from '#app/contract/errors.ts'
import { rotated } from '../frame.ts'
import { parsePreprocessConfig, preprocessFrames } from '../preprocess.ts'
import { sampleFrameIndices } from '../sample-frames.ts'
import { openClip } from './decode.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { difference, goldenClips, goldenPath, goldenTensors, writeTurned } from './test-goldens.ts'

beforeAll(() => findFfmpeg()) // says what to install when it is missing

describe('the reference clips', () => {
  for (const golden of goldenClips)
    it(`${golden.file}: size, count, sampled frames and pixel values are the reference's`, async () => {
      const clip = await openClip(goldenPath(golden.file), { orientation: 'stored' })
      expect([clip.frameCount, clip.width, clip.height]).toEqual([golden.frames, golden.width, golden.height])
      expect(clip.fps).toBeCloseTo(golden.fps, 2)
      const { clip_len, frame_sample_rate, indices } = golden.sample
      const sample = sampleFrameIndices({
        clipLen: clip_len,
        frameSampleRate: frame_sample_rate,
        segLen: clip.frameCount,
      })
      expect(sample.indices).toEqual(indices)
      const reference = goldenTensors(golden.file)
      const frames = await clip.readFrames(sample.indices)
      for (const [i, frame] of frames.entries()) {
        const { mean, max } = difference(frame.data, reference.frames[i]!.data)
        expect(mean, `frame ${i}`).toBeLessThan(3)
        expect(max, `frame ${i}`).toBeLessThanOrEqual(16)
      }
      const { shortest_edge, center_crop, mean, std } = golden.preprocess
      const config = parsePreprocessConfig({
        size: { shortest_edge },
        crop_size: { height: center_crop, width: center_crop },
        image_mean: mean,
        image_std: std,
      })
      const pixels = preprocessFrames(reference.frames, config)
      expect(pixels.shape).toEqual(reference.shape)
      expect(difference(pixels.data, reference.pixelValues).max).toBeLessThan(1e-5)
    })

  it('has eight of them', () => expect(goldenClips).toHaveLength(8))
})

describe('broken files are refused by name', () => {
  for (const [file, why] of [
    ['bad-empty.mp4', 'empty'],
    ['bad-text.mp4', 'no video at all'],
    ['bad-truncated.mp4', 'it is cut short'],
    ['bad-audio-only.m4a', 'no video track'],
  ] as const)
    it(file, async () => {
      const problem = await openClip(goldenPath(file)).then(() => undefined, toProblem)
      expect(problem?.code).toBe('bad-media')
      expect(problem?.message).toContain(file)
      expect(problem?.message).toContain(why)
    })

  it('a file that is not there', async () => {
    await expect(openClip(goldenPath('none.mp4'))).rejects.toMatchObject({ problem: { code: 'not-found' } })
  })

  it('a folder', async () => {
    await expect(openClip(goldenPath('.'))).rejects.toMatchObject({ problem: { code: 'bad-media' } })
  })
})

describe('openClip', () => {
  it('turns what a phone has turned, unless it is asked not to', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'frameloom-turned-'))
    const [stored] = await (await openClip(goldenPath('h264-bframes.mp4'))).readFrames([40])
    for (const rotation of [90, 180, 270] as const) {
      const file = join(folder, `${rotation}.mp4`)
      await writeTurned(goldenPath('h264-bframes.mp4'), rotation, file)
      const clip = await openClip(file)
      expect([clip.width, clip.height]).toEqual(rotation === 180 ? [160, 120] : [120, 160])
      expect((await clip.readFrames([40]))[0]).toEqual(rotated(stored!, rotation))
      expect((await (await openClip(file, { orientation: 'stored' })).readFrames([40]))[0]).toEqual(stored)
    }
    await rm(folder, { recursive: true })
  })

  it('answers in the order asked, repeated where asked', async () => {
    const clip = await openClip(goldenPath('short-3-frames.mp4'))
    const [a, b, c, d] = await clip.readFrames([2, 0, 2, 1])
    expect(a!.data).toEqual(c!.data)
    expect(difference(a!.data, b!.data).max).toBeGreaterThan(0)
    expect(difference(b!.data, d!.data).max).toBeGreaterThan(0)
    expect(await clip.readFrames([])).toEqual([])
  })

  it('names a frame that the clip does not have', async () => {
    const clip = await openClip(goldenPath('short-3-frames.mp4'))
    await expect(clip.readFrames([3])).rejects.toThrow('frame 3 was asked for; the clip has frames 0 to 2')
  })

  it('stops when aborted', async () => {
    const clip = await openClip(goldenPath('h264-bframes.mp4'))
    const abort = new AbortController()
    const reading = clip.frames(
      Array.from({ length: 48 }, (_, i) => i),
      abort.signal,
    )
    await reading.next()
    abort.abort()
    await expect(
      (async () => {
        for await (const frame of reading) expect(frame.width).toBe(160)
      })(),
    ).rejects.toMatchObject({ problem: { code: 'cancelled' } })
  })
})

describe('findFfmpeg', () => {
  it('says what to do when there is none', async () => {
    const problem = await findFfmpeg({ PATH: '' }).then(() => undefined, toProblem)
    expect(problem).toMatchObject({ code: 'unsupported' })
    expect(problem?.message).toMatch(/^ffmpeg was not found on PATH: install it/)
  })

  it('takes FRAMELOOM_FFMPEG as the program or its folder', async () => {
    const { ffmpeg, ffprobe } = await findFfmpeg()
    expect(await findFfmpeg({ FRAMELOOM_FFMPEG: ffmpeg })).toEqual({ ffmpeg, ffprobe })
    const folder = ffmpeg.slice(0, -'/ffmpeg'.length)
    expect(await findFfmpeg({ FRAMELOOM_FFMPEG: folder })).toEqual({ ffmpeg, ffprobe })
  })
})
