import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { toProblem } from '#app/contract/errors.ts'
import type { DoctorReport } from '#app/contract/system.ts'
import { findFfmpeg } from '#app/media/node/find-ffmpeg.ts'

type Check = DoctorReport['checks'][number]

const run = promisify(execFile)
const codecs = [
  { name: 'MP4 (H.264)', encoder: /\b(libx264|libopenh264|h264_\w+)\b/, decoder: /\bh264\b/ },
  { name: 'WebM (VP9)', encoder: /\b(libvpx-vp9|vp9_\w+)\b/, decoder: /\bvp9\b/ },
]

/** The user's ffmpeg: there, its version, and for each of our formats whether it reads and writes it. */
export async function checkFfmpeg(): Promise<Check[]> {
  try {
    const { ffmpeg } = await findFfmpeg()
    const ask = async (...args: string[]): Promise<string> =>
      (await run(ffmpeg, ['-hide_banner', ...args], { timeout: 10_000, maxBuffer: 2 ** 24 })).stdout
    const [version, encoders, decoders] = await Promise.all([ask('-version'), ask('-encoders'), ask('-decoders')])
    const number = /^ffmpeg version (\S+)/.exec(version)?.[1] ?? 'of an unknown version'
    return [
      { name: 'ffmpeg', state: 'ok', detail: `${number}, ${ffmpeg}` },
      ...codecs.map(({ name, encoder, decoder }): Check => {
        const writer = encoder.exec(encoders)?.[0]
        const can = [decoder.test(decoders) && 'reads', writer && `writes with ${writer}`].filter(Boolean)
        return { name, state: can.length === 2 ? 'ok' : 'warning', detail: can.join(', ') || 'not in this ffmpeg' }
      }),
    ]
  } catch (error) {
    return [{ name: 'ffmpeg', state: 'missing', detail: toProblem(error).message }]
  }
}
