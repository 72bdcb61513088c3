import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@playwright/test'
import { createServer, type ViteDevServer } from 'vite'
import { openClip } from '../app/media/node/decode.ts'
import { encodeClip } from '../app/media/node/encode.ts'
import { readRecipeFile } from '../app/media/node/recipe-file.ts'
import { makeClip } from '../app/media/node/test-clips.ts'
import { difference, goldenClips, goldenTensors, writeTurned } from '../app/media/node/test-goldens.ts'

// The page's own decoders and encoders in a real browser, without the studio around them.

const root = fileURLToPath(new URL('..', import.meta.url))
const recipe = JSON.stringify({ prompt: 'a "red" star <b>&</b> café 東京 ✨', seed: 7, more: 'é'.repeat(2000) })

let server: ViteDevServer
let folder: string

test.beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'frameloom-page-'))
  server = await createServer({
    root,
    configFile: false,
    logLevel: 'error',
    appType: 'custom',
    cacheDir: join(folder, 'vite'),
    optimizeDeps: { noDiscovery: true, include: ['mediabunny', 'zod'] },
    server: { fs: { allow: [root, folder] }, host: '127.0.0.1', port: 0, hmr: false, watch: null },
    plugins: [
      {
        name: 'empty-page',
        configureServer: ({ middlewares }) => {
          middlewares.use('/empty.html', (_, response) => {
            response.setHeader('content-type', 'text/html')
            response.setHeader('content-security-policy', "require-trusted-types-for 'script'; worker-src 'self' blob:")
            response.end('<!doctype html><title>media</title>')
          })
        },
      },
    ],
  })
  await server.listen()
})

test.afterAll(async () => {
  await server.close()
  await rm(folder, { recursive: true, force: true })
})

test.beforeEach(async ({ page }) => {
  const { port } = server.httpServer!.address() as AddressInfo
  await page.goto(`http://127.0.0.1:${port}/empty.html`)
})

type Decoded = { frameCount: number; width: number; height: number; fps: number; frames: string[] }
type Failed = { code: string; message: string }

/** Runs in the page: openVideo on a file of the server, the frames as base64. */
async function decodeInPage({ url, indices }: { url: string; indices: number[] }): Promise<Decoded | Failed> {
  const load = (path: string) => import(/* @vite-ignore */ path) as Promise<unknown>
  const { openVideo } = (await load('/renderer/media/decode.ts')) as typeof import('../renderer/media/decode.ts')
  const { toProblem } = (await load('/app/contract/errors.ts')) as typeof import('../app/contract/errors.ts')
  try {
    const blob = await (await fetch(url)).blob()
    const video = await openVideo(blob, url.split('/').at(-1))
    const frames = await video.frames(indices)
    video.close()
    const base64 = ({ data }: { data: Uint8Array }) => {
      let text = ''
      for (let at = 0; at < data.length; at += 8192) text += String.fromCharCode(...data.subarray(at, at + 8192))
      return btoa(text)
    }
    const { frameCount, width, height, fps } = video
    return { frameCount, width, height, fps, frames: frames.map(base64) }
  } catch (error) {
    const { code, message } = toProblem(error)
    return { code, message }
  }
}

const golden = (file: string) => `/e2e/goldens/media/${file}`

for (const clip of goldenClips.filter(({ codec }) => !['gif', 'mpeg4'].includes(codec)))
  test(`${clip.file}: size, count and frames are the reference's`, async ({ page }) => {
    const { indices } = clip.sample
    const decoded = (await page.evaluate(decodeInPage, { url: golden(clip.file), indices })) as Decoded
    expect(decoded).toMatchObject({ frameCount: clip.frames, width: clip.width, height: clip.height })
    expect(decoded.fps).toBeCloseTo(clip.fps, 1)
    const reference = goldenTensors(clip.file).frames
    for (const [i, frame] of decoded.frames.entries()) {
      const { mean, max } = difference(Buffer.from(frame, 'base64'), reference[i]!.data)
      expect(mean, `frame ${i}`).toBeLessThan(3)
      expect(max, `frame ${i}`).toBeLessThanOrEqual(16)
    }
  })

test('a clip that a phone has turned stands upright, as on the host', async ({ page }) => {
  await writeTurned(
    fileURLToPath(new URL('goldens/media/h264-bframes.mp4', import.meta.url)),
    90,
    join(folder, 'turned.mp4'),
  )
  const decoded = (await page.evaluate(decodeInPage, { url: `/@fs${folder}/turned.mp4`, indices: [40] })) as Decoded
  const [frame] = await (await openClip(join(folder, 'turned.mp4'))).readFrames([40])
  expect([decoded.width, decoded.height]).toEqual([120, 160])
  expect(difference(Buffer.from(decoded.frames[0]!, 'base64'), frame!.data).max).toBeLessThanOrEqual(1)
})

for (const [codec, options] of [
  ['libvpx-vp9', ['-lossless', '1']],
  ['libvpx', ['-b:v', '4M', '-auto-alt-ref', '0']],
] as const)
  test(`a WebM with transparency (${codec}) is laid on white under the page's policy, as on the host`, async ({
    page,
  }) => {
    const source = 'testsrc2=size=96x64:rate=8:duration=1,format=rgba,colorchannelmixer=aa=0.4'
    const file = join(folder, `${codec}.webm`)
    await makeClip(['-f', 'lavfi', '-i', source, '-c:v', codec, '-pix_fmt', 'yuva420p', ...options], file)
    const decoded = (await page.evaluate(decodeInPage, { url: `/@fs${file}`, indices: [5] })) as Decoded
    expect(decoded).toMatchObject({ frameCount: 8, width: 96, height: 64 })
    const [frame] = await (await openClip(file)).readFrames([5])
    expect(difference(Buffer.from(decoded.frames[0]!, 'base64'), frame!.data).max).toBeLessThanOrEqual(3)
  })

for (const [codec, pixels, ending] of [
  ['libx264', 'yuv420p10le', 'mp4'],
  ['libx264', 'yuv422p10le', 'mp4'],
  ['libvpx-vp9', 'yuv420p10le', 'webm'],
  ['libaom-av1', 'yuv420p10le', 'mp4'],
] as const)
  test(`${pixels} of ${codec} has the colours of the host, and so of swscale`, async ({ page }) => {
    const source = ['-f', 'lavfi', '-i', 'testsrc2=size=160x120:rate=8:duration=1']
    const colours = ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709']
    const quick = codec === 'libaom-av1' ? ['-cpu-used', '8'] : []
    const file = join(folder, `${codec}-${pixels}.${ending}`)
    await makeClip([...source, '-c:v', codec, ...quick, '-pix_fmt', pixels, ...colours], file)
    const decoded = (await page.evaluate(decodeInPage, { url: `/@fs${file}`, indices: [0, 7] })) as Decoded
    expect(decoded).toMatchObject({ frameCount: 8 })
    const frames = await (await openClip(file)).readFrames([0, 7])
    for (const [i, frame] of decoded.frames.entries())
      expect(difference(Buffer.from(frame, 'base64'), frames[i]!.data).max).toBeLessThanOrEqual(3)
  })

test('the first of several video tracks is taken, as on the host', async ({ page }) => {
  const file = join(folder, 'tracks.mkv')
  const track = (colour: string, size: string) => [
    '-f',
    'lavfi',
    '-i',
    `color=${colour}:size=${size}:rate=8:duration=1`,
  ]
  const maps = ['-map', '0:v', '-map', '1:v', '-disposition:v:0', '0', '-disposition:v:1', 'default']
  await makeClip([...track('blue', '64x64'), ...track('red', '320x240'), ...maps, '-c:v', 'libx264'], file)
  const decoded = (await page.evaluate(decodeInPage, { url: `/@fs${file}`, indices: [3] })) as Decoded
  const [frame] = await (await openClip(file)).readFrames([3])
  expect([decoded.width, decoded.height]).toEqual([64, 64])
  expect(difference(Buffer.from(decoded.frames[0]!, 'base64'), frame!.data).max).toBeLessThanOrEqual(1)
})

for (const [file, code, says] of [
  ['animated.gif', 'unsupported', 'animated.gif'],
  ['mpeg4.avi', 'unsupported', 'mpeg4.avi'],
  ['bad-text.mp4', 'unsupported', 'bad-text.mp4'],
  ['bad-empty.mp4', 'bad-media', 'empty'],
  ['bad-truncated.mp4', 'bad-media', 'bad-truncated.mp4'],
  ['bad-audio-only.m4a', 'bad-media', 'no video track'],
] as const)
  test(`${file} is ${code}`, async ({ page }) => {
    const failed = (await page.evaluate(decodeInPage, { url: golden(file), indices: [0] })) as Failed
    expect(failed.code).toBe(code)
    expect(failed.message).toContain(says)
  })

for (const [format, quality, least] of [
  ['mp4', 'high', 38],
  ['webm', 'high', 38],
  ['mp4', 'small', 30],
] as const)
  test(`a clip encoded as ${format} (${quality}) in the page is good, tagged and carries its recipe`, async ({
    page,
  }) => {
    const source = { url: golden('h264-bframes.mp4'), format, quality, recipe }
    const encoded = await page.evaluate(async ({ url, format, quality, recipe }) => {
      const load = (path: string) => import(/* @vite-ignore */ path) as Promise<unknown>
      const { openVideo } = (await load('/renderer/media/decode.ts')) as typeof import('../renderer/media/decode.ts')
      const { encodeVideo } = (await load('/renderer/media/encode.ts')) as typeof import('../renderer/media/encode.ts')
      const { readRecipeFromBlob } = (await load(
        '/renderer/media/recipe.ts',
      )) as typeof import('../renderer/media/recipe.ts')
      const video = await openVideo(await (await fetch(url)).blob(), 'clip')
      const frames = await video.frames([...Array(16).keys()].map((i) => i * 3))
      const blob = await encodeVideo(frames, 8, format, recipe, { quality })
      const bytes = new Uint8Array(await blob.arrayBuffer())
      return { bytes: [...bytes], type: blob.type, recipe: await readRecipeFromBlob(blob) }
    }, source)
    expect(encoded.recipe).toBe(recipe)
    expect(encoded.type).toBe(`video/${format}`)
    const file = join(folder, `page-${quality}.${format}`)
    await writeFile(file, Uint8Array.from(encoded.bytes))
    expect(await readRecipeFile(file)).toBe(recipe)
    const indices = [...Array(16).keys()]
    const original = await (
      await openClip(fileURLToPath(new URL('goldens/media/h264-bframes.mp4', import.meta.url)))
    ).readFrames(indices.map((i) => i * 3))
    const clip = await openClip(file)
    expect([clip.frameCount, clip.width, clip.height, clip.fps]).toEqual([16, 160, 120, 8])
    for (const [i, frame] of (await clip.readFrames(indices)).entries()) {
      let squares = 0
      frame.data.forEach((value, at) => (squares += (value - original[i]!.data[at]!) ** 2))
      expect(10 * Math.log10((255 * 255) / (squares / frame.data.length)), `frame ${i}`).toBeGreaterThan(least)
    }
  })

test('a lossless WebP of ours shows bit for bit the same frames in the browser', async ({ page }) => {
  const { frames } = goldenTensors('ntsc.mov')
  const out = join(folder, 'lossless.webp')
  await encodeClip({ clip: { frames, fps: 10 }, format: 'webp', out, recipe })
  const bytes = [...(await readFile(out))]
  const shown = await page.evaluate(async (bytes) => {
    const decoder = new ImageDecoder({ data: Uint8Array.from(bytes), type: 'image/webp', colorSpaceConversion: 'none' })
    await Promise.all([decoder.completed, decoder.tracks.ready])
    const frames: number[][] = []
    for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack!.frameCount; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex })
      const rgba = new Uint8Array(image.allocationSize({ format: 'RGBA' }))
      await image.copyTo(rgba, { format: 'RGBA' })
      frames.push([...rgba.filter((_, i) => i % 4 !== 3)])
      image.close()
    }
    return frames
  }, bytes)
  expect(shown).toHaveLength(8)
  for (const [i, frame] of shown.entries()) expect(difference(frame, frames[i]!.data).max, `frame ${i}`).toBe(0)
})

// Each frame has four edges of its own colours and its number in its middle; a strip shows some of them, all edges of
// each. Wide, upright and square frames, in strips with and without room for all.
for (const { frame, count, strip, shown } of [
  { frame: [64, 64], count: 8, strip: [1440, 60], shown: 8 },
  { frame: [64, 64], count: 16, strip: [640, 60], shown: 10 },
  { frame: [128, 72], count: 4, strip: [400, 44], shown: 4 },
  { frame: [40, 120], count: 48, strip: [500, 60], shown: 25 },
  { frame: [600, 40], count: 6, strip: [300, 60], shown: 1 },
] as const)
  test(`the filmstrip shows ${shown} of ${count} frames of ${frame.join('x')} whole`, async ({ page }) => {
    const seen = await page.evaluate(
      async ({ frame: [width, height], count, strip }) => {
        const path = '/renderer/parts/player/paint-filmstrip.ts'
        const { paintFilmstrip } = (await import(
          /* @vite-ignore */ path
        )) as typeof import('../renderer/parts/player/paint-filmstrip.ts')
        const images = Array.from({ length: count }, (_, i) => {
          const context = new OffscreenCanvas(width, height).getContext('2d')!
          const fill = (colour: string, x: number, y: number, w: number, h: number) => {
            context.fillStyle = colour
            context.fillRect(x, y, w, h)
          }
          fill(`rgb(${100 + i} 100 100)`, 0, 0, width, height)
          fill('rgb(255 0 0)', 8, 0, width - 16, 8)
          fill('rgb(0 255 0)', 8, height - 8, width - 16, 8)
          fill('rgb(0 0 255)', 0, 8, 8, height - 16)
          fill('rgb(255 255 0)', width - 8, 8, 8, height - 16)
          return context.getImageData(0, 0, width, height)
        })
        const canvas = document.createElement('canvas')
        paintFilmstrip(canvas, { width, height, images }, { width: strip[0], height: strip[1] })
        const { data } = canvas.getContext('2d')!.getImageData(0, 0, canvas.width, canvas.height)
        const isAt = (x: number, y: number, colour: readonly number[]) =>
          colour.every((value, i) => Math.abs(data[(y * canvas.width + x) * 4 + i]! - value) < 60)
        const edges = { top: [255, 0, 0], bottom: [0, 255, 0], left: [0, 0, 255], right: [255, 255, 0] }
        /** How often a colour begins along a row or a column, from where it is seen at all. */
        const runs = (colour: readonly number[]) => {
          let most = 0
          for (let y = 0; y < canvas.height; y++) {
            let found = 0
            for (let x = 0; x < canvas.width; x++) if (isAt(x, y, colour) && !(x > 0 && isAt(x - 1, y, colour))) found++
            most = Math.max(most, found)
          }
          return most
        }
        return Object.fromEntries(Object.entries(edges).map(([name, colour]) => [name, runs(colour)]))
      },
      { frame, count, strip },
    )
    expect(seen).toEqual({ top: shown, bottom: shown, left: shown, right: shown })
  })
