import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import { webpAnimation } from '../webp-animation.ts'
import { extendedHeader, webpChunks, webpFile, webpFlags } from '../webp-container.ts'
import { openClip } from './decode.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { goldenPath } from './test-goldens.ts'

let folder: string
beforeAll(async () => {
  await findFfmpeg() // says what to install when it is missing
  folder = await mkdtemp(join(tmpdir(), 'frameloom-hostile-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Opens the bytes and reads a few frames; the problem if it is refused. Anything but a ProblemError is a failure. */
async function refusal(bytes: Uint8Array, name: string) {
  const file = join(folder, name)
  await writeFile(file, bytes)
  try {
    const clip = await openClip(file)
    const last = clip.frameCount - 1
    const frames = await clip.readFrames([0, last >> 1, last])
    expect(frames.map(({ data }) => data.length)).toEqual(Array(3).fill(clip.width * clip.height * 3))
    return undefined
  } catch (error) {
    if (!(error instanceof ProblemError)) throw error
    return toProblem(error)
  }
}

describe('bombs are refused before a pixel is decoded', () => {
  it('a GIF of 30000x30000', async () => {
    const gif = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#fff' } })
      .gif()
      .toBuffer()
    const size = [30000 & 255, 30000 >> 8, 30000 & 255, 30000 >> 8]
    gif.set(size, 6)
    gif.set(size, gif.indexOf(Uint8Array.of(0x2c, 0, 0, 0, 0, 4, 0, 4, 0)) + 5)
    expect(await refusal(gif, 'bomb.gif')).toMatchObject({
      code: 'bad-media',
      message: expect.stringContaining('30000x30000'),
    })
  })

  it('a WebP whose canvas is 16383x16383', async () => {
    const still = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#fff' } })
      .webp()
      .toBuffer()
    const [, ...chunks] = webpChunks(webpAnimation([still], 8))
    const webp = webpFile([extendedHeader(16383, 16383, webpFlags.animation), ...chunks])
    expect(await refusal(webp, 'bomb.webp')).toMatchObject({
      code: 'bad-media',
      message: expect.stringContaining('16383x16383'),
    })
  })

  it('a PNG of 60000x60000', async () => {
    const png = await sharp({ create: { width: 4, height: 4, channels: 3, background: '#fff' } })
      .png()
      .toBuffer()
    png.writeUInt32BE(60000, 16)
    png.writeUInt32BE(60000, 20)
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29)
    expect(await refusal(png, 'bomb.png')).toMatchObject({
      code: 'bad-media',
      message: expect.stringContaining('60000x60000'),
    })
  })

  it('a raw video whose header says 30000x30000', async () => {
    const y4m = Buffer.concat([Buffer.from('YUV4MPEG2 W30000 H30000 F25:1 C420\nFRAME\n'), Buffer.alloc(4096)])
    expect(await refusal(y4m, 'bomb.y4m')).toMatchObject({ code: 'bad-media' })
  })
})

it('a playlist cannot make ffmpeg open other files', async () => {
  const target = goldenPath('short-3-frames.mp4')
  for (const [name, text] of [
    ['list.m3u8', `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n${target}\n#EXT-X-ENDLIST\n`],
    ['list.ffconcat', `ffconcat version 1.0\nfile '${target}'\n`],
  ] as const)
    expect(await refusal(Buffer.from(text), name)).toMatchObject({ code: 'bad-media' })
})

describe('damaged files open, or are refused with a reason', () => {
  // The same damage at every run: 32-bit xorshift from the seed.
  const draw = (seed: number) => () => {
    seed ^= seed << 13
    seed ^= seed >>> 17
    seed ^= seed << 5
    return (seed >>> 0) / 2 ** 32
  }
  const rounds = Number(process.env['FRAMELOOM_FUZZ_ROUNDS'] ?? 4)
  for (const [i, file] of ['animated.gif', 'h264-bframes.mp4', 'vp9.webm', 'mpeg4.avi', 'lossless.webp'].entries())
    it(`${file}, ${rounds} times`, { timeout: 300_000 + rounds * 3000 }, async () => {
      const whole =
        file === 'lossless.webp'
          ? await sharp(goldenPath('animated.gif'), { animated: true }).webp({ lossless: true }).toBuffer()
          : await readFile(goldenPath(file))
      for (let round = 0; round < rounds; round++) {
        const random = draw(1000 * (i + 1) + round + 1)
        const bytes = Uint8Array.from(
          whole.subarray(0, random() < 0.3 ? Math.ceil(random() * whole.length) : whole.length),
        )
        for (let change = 0; change < 8; change++) {
          const near = random() < 0.5 ? Math.min(512, bytes.length) : bytes.length
          bytes[Math.floor(random() * near)] = Math.floor(random() * 256)
        }
        const problem = await refusal(bytes, `${round}-${file}`)
        if (problem) expect(problem, `seed ${1000 * (i + 1) + round + 1}`).toMatchObject({ code: 'bad-media' })
      }
    })
})

it.each([
  ['a playlist', 'list.m3u8', '#EXTM3U\n#EXTINF:1,\n/etc/hostname\n'],
  ['a playlist under the name of a clip', 'list.mp4', '#EXTM3U\n#EXTINF:1,\n/etc/hostname\n'],
  ['a web page', 'page.webm', '<!doctype html><title>404</title>'],
  ['a text without an ending', 'clip', 'x'.repeat(5000)],
  [
    'an audio file',
    'sound.wav',
    'RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x44\xac\0\0\x88\x58\x01\0\x02\0\x10\0data\0\0\0\0',
  ],
])('%s is refused in plain words', async (_, name, content) => {
  const problem = await refusal(Buffer.from(content, 'latin1'), name)
  expect(problem).toMatchObject({ code: 'bad-media', file: join(folder, name) })
  expect(problem!.message).toMatch(
    /cannot be used as a clip or picture: it (is|has) .*(no picture or video|no video|video track)/,
  )
  expect(problem!.message).not.toMatch(/whitelist|moov atom|Invalid data/)
})
