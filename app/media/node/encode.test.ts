import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Clip, RgbFrame } from '../frame.ts'
import { openClip } from './decode.ts'
import { encodeClip, type ClipFormat } from './encode.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { difference, goldenTensors } from './test-goldens.ts'
import { readRecipeFile } from './recipe-file.ts'

/**
 * Everything that formats like to break: quotes, markup, ffmetadata's own signs, line ends, other scripts, emoji; 2 kB
 * of it.
 */
const recipe = JSON.stringify({
  prompt: 'a "red" star & <b>café</b> = ; # \\ \n 東京 ✨ \u0001',
  seed: 42,
  more: 'ünï'.repeat(600),
})

let folder: string
beforeAll(async () => {
  await findFfmpeg() // says what to install when it is missing
  folder = await mkdtemp(join(tmpdir(), 'frameloom-encode-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Smooth colour with a moving bright square; every frame is another. */
function drawn(width: number, height: number, count: number): RgbFrame[] {
  return Array.from({ length: count }, (_, f) => {
    const data = new Uint8Array(width * height * 3)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const inside = x >= 4 + f * 2 && x < 14 + f * 2 && y >= 8 && y < 18
        data.set(inside ? [230, 60, 40] : [x * 2, y * 2, 90], (y * width + x) * 3)
      }
    return { width, height, data }
  })
}

const write = async (clip: Clip, format: ClipFormat, name: string): Promise<string> => {
  const out = join(folder, name)
  await encodeClip({ clip, format, out, recipe })
  expect((await readdir(folder)).filter((entry) => /\.(part|tags)/.test(entry))).toEqual([])
  return out
}

const psnr = (a: RgbFrame, b: RgbFrame): number => {
  const squares = a.data.reduce((sum, value, i) => sum + (value - b.data[i]!) ** 2, 0)
  return 10 * Math.log10((255 * 255) / (squares / a.data.length))
}

describe('encodeClip', () => {
  const clip = { frames: drawn(64, 48, 9), fps: 8 }

  for (const [format, least] of [
    ['mp4', 36],
    ['webm', 34],
    ['gif', 30],
    ['webp', Infinity],
  ] as const)
    it(`${format}: frames, rate and recipe come back`, async () => {
      const out = await write(clip, format, `clip.${format}`)
      const read = await openClip(out)
      expect([read.frameCount, read.width, read.height]).toEqual([9, 64, 48])
      expect(read.fps).toBeCloseTo(8, 1)
      for (const [i, frame] of (await read.readFrames([...clip.frames.keys()])).entries())
        expect(psnr(frame, clip.frames[i]!), `frame ${i}`).toBeGreaterThanOrEqual(least)
      expect(await readRecipeFile(out)).toBe(recipe)
    })

  it('png: a folder of exact frames, the recipe in each', async () => {
    const out = await write(clip, 'png', 'sequence')
    const names = await readdir(out)
    expect([names.length, names[0], names[8]]).toEqual([9, 'frame-0001.png', 'frame-0009.png'])
    for (const [i, name] of names.entries()) {
      const [frame] = await (await openClip(join(out, name))).readFrames([0])
      expect(difference(frame!.data, clip.frames[i]!.data).max).toBe(0)
      expect(await readRecipeFile(join(out, name))).toBe(recipe)
    }
    await expect(write(clip, 'png', 'sequence')).rejects.toThrow('is not empty')
  })

  for (const format of ['gif', 'webp', 'mp4', 'webm'] as const)
    it(`${format}: frames that do not differ stay frames`, async () => {
      const still = { frames: Array<RgbFrame>(6).fill(clip.frames[0]!), fps: 10 }
      const read = await openClip(await write(still, format, `still.${format}`))
      expect([read.frameCount, read.fps]).toEqual([6, 10])
    })

  for (const [format, width, height] of [
    ['mp4', 34, 26],
    ['webm', 33, 25],
    ['gif', 33, 25],
    ['webp', 33, 25],
  ] as const)
    it(`${format}: 33x25 becomes ${width}x${height}`, async () => {
      const odd = { frames: drawn(33, 25, 3), fps: 8 }
      const read = await openClip(await write(odd, format, `odd.${format}`))
      expect([read.width, read.height]).toEqual([width, height])
      const [frame] = await read.readFrames([0])
      const shared = { width: 33, height: 25, data: new Uint8Array(33 * 25 * 3) }
      for (let y = 0; y < 25; y++)
        shared.data.set(frame!.data.subarray(y * width * 3, (y * width + 33) * 3), y * 33 * 3)
      expect(psnr(shared, odd.frames[0]!)).toBeGreaterThan(26)
    })

  it('video loses little of a real clip', async () => {
    const real = { frames: goldenTensors('h264-bframes.mp4').frames, fps: 24 }
    for (const format of ['mp4', 'webm'] as const) {
      const frames = await (await openClip(await write(real, format, `real.${format}`))).readFrames([0, 7])
      expect(psnr(frames[0]!, real.frames[0]!)).toBeGreaterThan(36)
      expect(psnr(frames[1]!, real.frames[7]!)).toBeGreaterThan(36)
    }
  })

  it('a GIF has its comment where PIL looks: right after the global colour table', async () => {
    const bytes = await readFile(await write(clip, 'gif', 'comment.gif'))
    const table = 13 + 3 * 2 ** ((bytes[10]! & 7) + 1)
    expect([...bytes.subarray(table, table + 2)]).toEqual([0x21, 0xfe])
  })

  it('leaves nothing behind and names the reason when the folder is missing or the work is cancelled', async () => {
    for (const format of ['gif', 'mp4'] as const) {
      const out = join(folder, 'missing', `clip.${format}`)
      await expect(encodeClip({ clip, format, out, recipe })).rejects.toMatchObject({ problem: { code: 'disk' } })
    }
    const abort = new AbortController()
    const [first, second, third] = drawn(64, 48, 3) as [RgbFrame, RgbFrame, RgbFrame]
    const last = {
      ...third,
      get data() {
        abort.abort()
        return third.data
      },
    }
    const halfway = { frames: [first, second, last, first], fps: 8 }
    const out = join(folder, 'cancelled.mp4')
    await expect(encodeClip({ clip: halfway, format: 'mp4', out, recipe, signal: abort.signal })).rejects.toMatchObject(
      {
        problem: { code: 'cancelled' },
      },
    )
    expect((await readdir(folder)).filter((name) => name.startsWith('cancelled'))).toEqual([])
  })

  it('refuses what it cannot write', async () => {
    const out = join(folder, 'no.gif')
    await expect(encodeClip({ clip: { frames: [], fps: 8 }, format: 'gif', out, recipe })).rejects.toThrow('no frames')
    await expect(encodeClip({ clip, format: 'gif', out, recipe: 'text' })).rejects.toThrow('not a JSON object')
    const mixed = { frames: [...drawn(8, 8, 1), ...drawn(9, 8, 1)], fps: 8 }
    await expect(encodeClip({ clip: mixed, format: 'gif', out, recipe })).rejects.toThrow('not all 8x8')
  })
})

describe('readRecipeFile', () => {
  it('finds none in files that are not ours', async () => {
    const other = join(folder, 'other.mp4')
    await writeFile(other, 'not a video at all')
    expect(await readRecipeFile(other)).toBeUndefined()
    await expect(readRecipeFile(join(folder, 'none.mp4'))).rejects.toMatchObject({ problem: { code: 'not-found' } })
  })
})
