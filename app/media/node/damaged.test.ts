import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openClip } from './decode.ts'
import { makeClip } from './test-clips.ts'
import { goldenClips, goldenPath } from './test-goldens.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-damaged-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const noise = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=24:duration=2,noise=alls=40:allf=t']
const h264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-crf', '5', '-bf', '0']
const made: Record<string, string[]> = {
  'faststart.mp4': [...noise, ...h264, '-movflags', '+faststart'],
  'clip.mkv': [...noise, ...h264],
  'clip.webm': [...noise, '-c:v', 'libvpx-vp9', '-deadline', 'realtime', '-cpu-used', '8'],
  'clip.avi': [...noise, '-c:v', 'mpeg4', '-q:v', '2'],
  'clip.ts': [...noise, ...h264],
  'clip.png': [...noise, '-f', 'apng'],
}

async function damaged(name: string, change: (bytes: Buffer) => Buffer): Promise<{ whole: string; file: string }> {
  const whole = join(folder, name)
  await makeClip(made[name]!, whole)
  const file = join(folder, `damaged-${name}`)
  await writeFile(file, change(await readFile(whole)))
  return { whole, file }
}

const cut = (bytes: Buffer): Buffer => bytes.subarray(0, Math.floor(bytes.length * 0.6))

describe('a clip that was cut short', () => {
  for (const name of ['faststart.mp4', 'clip.mkv', 'clip.webm', 'clip.avi', 'clip.png'])
    it(`${name}: how many frames of how many could be decoded`, async () => {
      const { whole, file } = await damaged(name, cut)
      expect(await openClip(whole)).toMatchObject({ frameCount: 48, notes: [] })
      const clip = await openClip(file)
      expect(clip.frameCount).toBeGreaterThan(20)
      expect(clip.frameCount).toBeLessThan(40)
      expect(clip.notes).toHaveLength(1)
      expect(clip.notes[0]).toContain(`cut short or damaged: ${clip.frameCount} of 48 frames could be decoded`)
      expect(await clip.readFrames([0, clip.frameCount - 1])).toHaveLength(2)
    })

  it('a GIF: the frames that are whole', async () => {
    const gif = await readFile(goldenPath('animated.gif'))
    const whole = await openClip(goldenPath('animated.gif'))
    expect(whole.notes).toEqual([])
    const file = join(folder, 'cut.gif')
    await writeFile(file, cut(gif))
    const clip = await openClip(file)
    expect(clip.frameCount).toBeLessThan(whole.frameCount)
    expect(clip.notes).toEqual([
      `The clip is cut short: its file ends too early, and ${clip.frameCount} whole frames are in it.`,
    ])
    const last = clip.frameCount - 1
    expect((await clip.readFrames([last]))[0]).toEqual((await whole.readFrames([last]))[0])
  })

  it('a WebP is refused, and it is said why', async () => {
    const webp = await sharp(goldenPath('animated.gif'), { animated: true }).webp({ lossless: true }).toBuffer()
    const file = join(folder, 'cut.webp')
    await writeFile(file, cut(webp))
    await expect(openClip(file)).rejects.toThrow(/cut\.webp cannot be used as a clip or picture: .*it is cut short/)
  })
})

describe('a clip with wrong data in it', () => {
  const overwritten = (bytes: Buffer): Buffer => {
    const [from, to] = [Math.floor(bytes.length * 0.45), Math.floor(bytes.length * 0.5)]
    for (let at = from; at < to; at++) bytes[at] = (at * 167 + 13) & 255
    return bytes
  }
  const zeroed = (bytes: Buffer): Buffer => bytes.fill(0, Math.floor(bytes.length * 0.8), bytes.length - 100)

  for (const [name, what, change] of [
    ['faststart.mp4', 'an overwritten middle', overwritten],
    ['faststart.mp4', 'a zeroed tail', zeroed],
    ['clip.ts', 'an overwritten middle', overwritten],
    ['clip.mkv', 'an overwritten middle', overwritten],
  ] as const)
    it(`${name}: ${what}`, async () => {
      const { file } = await damaged(name, change)
      const clip = await openClip(file)
      expect(clip.notes.join()).toMatch(/damaged/)
      expect(clip.frameCount).toBeLessThanOrEqual(48)
      expect(clip.notes.join()).toMatch(/guessed by the decoder|\d+ of 48 frames could be decoded|wrong data/)
      await clip.readFrames([0, clip.frameCount - 1])
    })
})

describe('nothing is said of a clip', () => {
  for (const { file } of goldenClips)
    it(`that is whole: ${file}`, async () => expect((await openClip(goldenPath(file))).notes).toEqual([]))

  it('whose edit list leaves frames out at its start', async () => {
    const source = join(folder, 'gops.mp4')
    await makeClip([...noise, ...h264, '-g', '12'], source)
    for (const start of ['0.3', '0.8']) {
      const file = join(folder, `from-${start}.mp4`)
      await makeClip(['-ss', start, '-i', source, '-c', 'copy'], file)
      const clip = await openClip(file)
      expect(clip.notes).toEqual([])
      expect(clip.frameCount).toBe(48 - Math.ceil(Number(start) * 24 - 1e-6))
    }
  })
})
