import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RgbFrame } from '../frame.ts'
import { openClip } from './decode.ts'
import { makeClip, rgbByFfmpeg } from './test-clips.ts'
import { difference } from './test-goldens.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-formats-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const pixel = ({ data, width }: RgbFrame, x: number, y: number): number[] => [
  ...data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3),
]

describe('what is transparent is white', () => {
  // Left half: green that is wholly transparent. Right half: red.
  const source = ['-f', 'lavfi', '-i', 'color=red:size=64x64:rate=8:duration=1,format=rgba']
  const halves = "geq=r='if(lt(X,32),0,255)':g='if(lt(X,32),255,0)':b=0:a='if(lt(X,32),0,255)'"
  for (const [name, options] of [
    ['clip.apng', ['-f', 'apng']],
    ['rle.mov', ['-c:v', 'qtrle']],
    ['prores.mov', ['-c:v', 'prores_ks', '-profile:v', '4444', '-pix_fmt', 'yuva444p10le']],
    ['png.avi', ['-c:v', 'png']],
    ['ffv1.mkv', ['-c:v', 'ffv1', '-pix_fmt', 'yuva420p']],
    ['vp9.webm', ['-c:v', 'libvpx-vp9', '-pix_fmt', 'yuva420p', '-lossless', '1']],
    ['vp8.webm', ['-c:v', 'libvpx', '-pix_fmt', 'yuva420p', '-b:v', '4M', '-auto-alt-ref', '0']],
    ['clip.webp', ['-c:v', 'libwebp_anim', '-lossless', '1']],
    ['still.png', ['-frames:v', '1', '-f', 'image2', '-update', '1']],
  ] as const)
    it(name, async () => {
      const file = join(folder, name)
      await makeClip([...source, '-vf', halves, ...options], file)
      const clip = await openClip(file)
      expect(clip.notes).toEqual([])
      const [frame] = await clip.readFrames([clip.frameCount - 1])
      expect(difference(pixel(frame!, 8, 30), [255, 255, 255]).max).toBeLessThanOrEqual(2)
      expect(difference(pixel(frame!, 55, 30), [255, 0, 0]).max).toBeLessThanOrEqual(8)
    })
})

describe('a PNG that moves', () => {
  const chunk = (tag: string, body: Buffer): Buffer => {
    const out = Buffer.alloc(12 + body.length)
    out.writeUInt32BE(body.length, 0)
    out.write(tag, 4, 'latin1')
    body.copy(out, 8)
    out.writeUInt32BE(crc32(out.subarray(4, 8 + body.length)), 8 + body.length)
    return out
  }

  for (const bytes of [0, 9000, 9_000_000])
    it(`with ${bytes} bytes of text before it says so`, async () => {
      const file = join(folder, `text-${bytes}.png`)
      await makeClip(['-f', 'lavfi', '-i', 'testsrc2=size=64x64:rate=8:duration=2', '-f', 'apng'], file)
      const png = await readFile(file)
      const text = chunk('tEXt', Buffer.from(`workflow\0${'x'.repeat(bytes)}`, 'latin1'))
      await writeFile(file, Buffer.concat([png.subarray(0, 33), text, png.subarray(33)]))
      const clip = await openClip(file)
      expect(clip).toMatchObject({ frameCount: 16, width: 64, height: 64, notes: [] })
      const [first, last] = await clip.readFrames([0, 15])
      expect(difference(first!.data, last!.data).max).toBeGreaterThan(50)
    })
})

it('the first of several video tracks is taken, whatever their sizes and flags', async () => {
  const file = join(folder, 'tracks.mkv')
  const track = (colour: string, size: string): string[] => [
    ...['-f', 'lavfi', '-i', `color=${colour}:size=${size}:rate=8:duration=1`],
  ]
  const maps = ['-map', '0:v', '-map', '1:v', '-disposition:v:0', '0', '-disposition:v:1', 'default']
  await makeClip([...track('blue', '64x64'), ...track('red', '320x240'), ...maps, '-c:v', 'libx264'], file)
  const clip = await openClip(file)
  expect([clip.width, clip.height]).toEqual([64, 64])
  const [frame] = await clip.readFrames([3])
  expect(pixel(frame!, 9, 9)[2]).toBeGreaterThan(245)
})

describe('above 8 bits the colours are those of swscale', () => {
  for (const [pixels, codec] of [
    ['yuv420p10le', 'libx264'],
    ['yuv422p10le', 'libx264'],
    ['yuv420p10le', 'libx265'],
  ] as const)
    it(`${pixels} of ${codec}`, async () => {
      const file = join(folder, `${codec}-${pixels}.mp4`)
      const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=8:duration=1']
      const colours = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709']
      await makeClip([...source, '-c:v', codec, '-pix_fmt', pixels, ...colours], file)
      const clip = await openClip(file)
      const frames = await clip.readFrames([0, 7])
      const all = await rgbByFfmpeg(file, 'null')
      const size = 160 * 120 * 3
      expect(clip.frameCount).toBe(8)
      expect(difference(frames[0]!.data, all.subarray(0, size)).max).toBeLessThanOrEqual(3)
      expect(difference(frames[1]!.data, all.subarray(7 * size)).max).toBeLessThanOrEqual(3)
    })
})
