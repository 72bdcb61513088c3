import { expect, test } from 'vitest'
import { planarYuv, yuvToRgb, type YuvMatrix } from '../color.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { outputOf } from './run-program.ts'
import { difference } from './test-goldens.ts'

// Page and engine convert with the same lines; what they are held to is what ffmpeg makes of the same planes.

const formats = {
  yuv420p: { shift: [1, 1], bits: 8 },
  yuv422p: { shift: [1, 0], bits: 8 },
  yuv444p: { shift: [0, 0], bits: 8 },
  yuv420p10le: { shift: [1, 1], bits: 10 },
  yuv422p10le: { shift: [1, 0], bits: 10 },
  yuv444p10le: { shift: [0, 0], bits: 10 },
  yuv420p12le: { shift: [1, 1], bits: 12 },
} as const
type Format = keyof typeof formats

const options = { idleMs: 120_000 }
const raw = (format: string): string[] => ['-f', 'rawvideo', '-pix_fmt', format]

async function apart(format: Format, source: string, matrix: YuvMatrix, fullRange: boolean) {
  const { ffmpeg } = await findFfmpeg()
  const quiet = ['-v', 'error', '-nostdin']
  const make = [
    ...quiet,
    '-f',
    'lavfi',
    '-i',
    `${source},format=rgb24,format=${format}`,
    '-frames:v',
    '1',
    ...raw(format),
    'pipe:1',
  ]
  const planes = await outputOf(ffmpeg, make, options)
  const [size = '', width = 0, height = 0] =
    /(\d+)x(\d+)/.exec(source)?.map((text, i) => (i ? Number(text) : text)) ?? []
  const scale = `scale=${size}:flags=bicubic:in_color_matrix=${matrix}:in_range=${fullRange ? 'pc' : 'tv'}`
  const convert = [
    '-v',
    'error',
    ...raw(format),
    '-s',
    String(size),
    '-i',
    'pipe:0',
    '-vf',
    scale,
    ...raw('rgb24'),
    'pipe:1',
  ]
  const expected = await outputOf(ffmpeg, convert, { ...options, input: [planes] })
  const { shift, bits } = formats[format]
  const data = bits > 8 ? new Uint16Array(Uint8Array.from(planes).buffer) : planes
  const frame = planarYuv(Number(width), Number(height), shift, bits, data)
  return difference(yuvToRgb(frame, { matrix, fullRange }).data, expected)
}

// Bars with edges between full colours, and a picture that is smooth and busy by turns; even and odd sizes.
const sources = [
  'testsrc2=size=160x120:rate=1',
  'testsrc2=size=65x61:rate=1',
  'testsrc2=size=64x61:rate=1',
  'mandelbrot=size=95x64:rate=1',
]
const cases = Object.keys(formats).flatMap((format) => sources.map((source) => [format as Format, source] as const))

test.each(cases)('%s of %s is within 3 of 255 of swscale, and hardly ever beside it', async (format, source) => {
  for (const matrix of ['bt601', 'bt709'] as const)
    for (const fullRange of [false, true]) {
      const { max, mean } = await apart(format, source, matrix, fullRange)
      expect(max, `${matrix}, full range: ${fullRange}`).toBeLessThanOrEqual(3)
      expect(mean, `${matrix}, full range: ${fullRange}`).toBeLessThan(0.1)
    }
})
