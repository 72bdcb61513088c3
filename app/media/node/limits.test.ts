import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { webpAnimation } from '../webp-animation.ts'
import { openClip } from './decode.ts'
import { makeClip } from './test-clips.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-limits-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function refusal(name: string, bytes: Uint8Array): Promise<string> {
  const file = join(folder, name)
  await writeFile(file, bytes)
  return openClip(file).then(
    ({ frameCount }) => `opened with ${frameCount} frames`,
    (error: unknown) => (error as Error).message,
  )
}

/** A GIF of these many frames of 4x4. */
async function gif(frames: number): Promise<Buffer> {
  const one = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#a33' } })
    .gif()
    .toBuffer()
  const begin = one.indexOf(Buffer.from([0x21, 0xf9]))
  const frame = one.subarray(begin < 0 ? one.indexOf(0x2c) : begin, -1)
  return Buffer.concat([one.subarray(0, one.indexOf(frame)), ...Array<Buffer>(frames).fill(frame), Buffer.from([0x3b])])
}

/** A WebP that moves, of these many frames of 4x4; a broken one has noise for its pictures. */
async function webp(frames: number, broken: boolean): Promise<Uint8Array> {
  const still = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#3a3' } })
    .webp({ lossless: true })
    .toBuffer()
  const animation = webpAnimation(Array<Uint8Array>(frames).fill(still), 24)
  if (broken)
    for (let at = animation.indexOf(0x2f, 60); at > 0; at = animation.indexOf(0x2f, at + 1)) animation[at + 6]! ^= 0xff
  return animation
}

describe('files with too many frames or pixels are refused before they are decoded', () => {
  it('a GIF of 100,000 frames', async () =>
    expect(await refusal('many.gif', await gif(100_000))).toContain('more than 10000 frames'))

  it('a WebP of 50,000 frames', async () =>
    expect(await refusal('many.webp', await webp(50_000, true))).toContain('more than 10000 frames'))

  it('a PNG of 12,000 frames', async () => {
    const file = join(folder, 'many.png')
    await makeClip(['-f', 'lavfi', '-i', 'color=red:size=2x2:rate=100:duration=120', '-f', 'apng'], file)
    await expect(openClip(file)).rejects.toThrow('more than 10000 frames')
  })

  it('an MP4 of 8192x8192, whatever its level', async () => {
    const file = join(folder, 'large.mp4')
    const source = ['-f', 'lavfi', '-i', 'color=red:size=8192x8192:rate=5:duration=0.4']
    await makeClip([...source, '-c:v', 'libx264', '-preset', 'ultrafast'], file)
    await expect(openClip(file)).rejects.toThrow(
      /large\.mp4 cannot be used as a clip or picture: its frames are .*12 megapixels/,
    )
  })

  it('a GIF whose frames are too much together', async () => {
    const large = await gif(9000)
    const size = [1000 & 255, 1000 >> 8, 1000 & 255, 1000 >> 8]
    large.set(size, 6)
    expect(await refusal('wide.gif', large)).toContain('9000 frames of 1000x1000 are more than 4000 megapixels')
  })
})

describe('just below the limits', () => {
  it('a GIF of 9,999 frames opens, and its last frame is read', async () => {
    const file = join(folder, 'below.gif')
    await writeFile(file, await gif(9999))
    const clip = await openClip(file)
    expect(clip.frameCount).toBe(9999)
    const frames = await clip.readFrames([0, 5000, 9998])
    expect(frames.map(({ data }) => data.length)).toEqual([48, 48, 48])
  })

  it('a WebP of 9,999 broken frames is read or refused', async () => {
    const file = join(folder, 'below.webp')
    await writeFile(file, await webp(9999, true))
    const outcome = await openClip(file)
      .then((clip) => clip.readFrames([0, 9998]))
      .then(
        () => 'read',
        (error: unknown) => (error as { problem: { code: string } }).problem.code,
      )
    expect(['read', 'bad-media']).toContain(outcome)
  })
})

describe('a clip of 12 megapixels', () => {
  it('is read within 400 MB, those of ffmpeg counted in, and a cancel ends ffmpeg', async () => {
    const file = join(folder, '12.mp4')
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=4000x3000:rate=4:duration=3']
    await makeClip([...source, '-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p'], file)
    const before = process.memoryUsage().rss
    const children = childrenOf(process.pid)
    const abort = new AbortController()
    const state = { most: 0, done: false }
    const watching = (async () => {
      while (!state.done) {
        const others = [...childrenOf(process.pid)].filter((pid) => !children.has(pid))
        const theirs = others.reduce((sum, pid) => sum + rssOf(pid), 0)
        state.most = Math.max(state.most, process.memoryUsage().rss - before + theirs)
        await wait(50)
      }
    })()
    const clip = await openClip(file, { signal: abort.signal })
    expect(clip).toMatchObject({ frameCount: 12, width: 4000, height: 3000 })
    const reading = clip.frames([0, 4, 8, 11], abort.signal)
    await reading.next()
    await reading.next()
    abort.abort()
    await expect(reading.next()).rejects.toMatchObject({ problem: { code: 'cancelled' } })
    state.done = true
    await watching
    expect([...childrenOf(process.pid)].filter((pid) => !children.has(pid))).toEqual([])
    expect(state.most).toBeLessThan(400e6)
  })
})

const ps = (...args: string[]): string => {
  try {
    return execFileSync('ps', args, { encoding: 'utf8' })
  } catch {
    return '' // the process is gone
  }
}
const childrenOf = (pid: number): Set<number> => {
  const rows = ps('-e', '-o', 'pid=,ppid=,comm=').split('\n')
  const found = rows.map((row) => row.trim().split(/\s+/))
  return new Set(
    found.filter(([, parent, name]) => Number(parent) === pid && name !== 'ps').map(([own]) => Number(own)),
  )
}
const rssOf = (pid: number): number => Number(ps('-o', 'rss=', '-p', String(pid)).trim() || 0) * 1024
