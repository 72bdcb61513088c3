import { join } from 'node:path'
import { z } from 'zod'
import { toProblem } from '#app/contract/errors.ts'
import type { RgbFrame } from '#app/media/frame.ts'
import { openClip } from '#app/media/node/decode.ts'
import { parsePreprocessConfig, preprocessFrames } from '#app/media/preprocess.ts'
import { sampleFrameIndices } from '#app/media/sample-frames.ts'
import { dims, type Tensor } from '#app/tensor/tensor.ts'
import { readTensors, type Verdict } from './case.ts'

export const mediaSchema = z.array(
  z.object({
    file: z.string(),
    frames: z.int(),
    width: z.int(),
    height: z.int(),
    sample: z.object({ clip_len: z.int(), frame_sample_rate: z.number(), indices: z.array(z.int()) }),
    preprocess: z.object({
      shortest_edge: z.int(),
      center_crop: z.int(),
      resample: z.string(),
      mean: z.array(z.number()),
      std: z.array(z.number()),
    }),
  }),
)
type MediaCase = z.infer<typeof mediaSchema>[number]

const fail = (figure: string): Verdict => ({ state: 'FAIL', figure })

/** media/FILE: count, size, sampled indices, decoded frames, and the pixel values of the reference's own frames. */
export async function runMediaCase(folder: string, spec: MediaCase): Promise<Verdict> {
  // The reference reads frames as they are stored; the studio turns them upright.
  const clip = await openClip(join(folder, spec.file), { orientation: 'stored' }).catch((error: unknown) => error)
  if (clip instanceof Error) {
    const problem = toProblem(clip)
    return problem.code === 'unsupported' ? { state: 'SKIP', figure: problem.message } : fail(problem.message)
  }
  const { frameCount, width, height, readFrames } = clip as Awaited<ReturnType<typeof openClip>>
  if (frameCount !== spec.frames || width !== spec.width || height !== spec.height)
    return fail(`${frameCount} frames of ${width}x${height}, expected ${spec.frames} of ${spec.width}x${spec.height}`)
  const { indices } = sampleFrameIndices({
    clipLen: spec.sample.clip_len,
    frameSampleRate: spec.sample.frame_sample_rate,
    segLen: frameCount,
  })
  if (indices.join() !== spec.sample.indices.join())
    return fail(`indices ${indices.join()}, expected ${spec.sample.indices.join()}`)

  const expected = await readTensors(join(folder, `${spec.file}.expected.safetensors`))
  const reference = framesOf(expected.frames!)
  const { mean, largest } = distance(await readFrames(indices), reference)
  if (!(mean <= 3 && largest <= 16)) return fail(`frames apart by ${mean.toFixed(2)} on average, ${largest} at most`)
  const filter = { nearest: 0, lanczos: 1, bilinear: 2, bicubic: 3 }[spec.preprocess.resample.split(' ')[0]!]
  const config = parsePreprocessConfig({
    size: { shortest_edge: spec.preprocess.shortest_edge },
    crop_size: { height: spec.preprocess.center_crop, width: spec.preprocess.center_crop },
    resample: filter,
    image_mean: spec.preprocess.mean,
    image_std: spec.preprocess.std,
  })
  const values = preprocessFrames(reference, config).data
  const target = expected.pixel_values!.data as Float32Array
  const worst =
    values.length === target.length
      ? values.reduce((most, value, i) => Math.max(most, Math.abs(value - target[i]!)), 0)
      : Infinity
  if (!(worst <= 1e-2)) return fail(`pixel values apart by ${worst}`)
  return { state: 'PASS', figure: `mean ${mean.toFixed(2)} max ${largest} pixel_values ${worst.toExponential(1)}` }
}

/** media/bad-*: refused by a named error. */
export async function runBadMediaCase(folder: string, file: string): Promise<Verdict> {
  try {
    const clip = await openClip(join(folder, file))
    await clip.readFrames([0])
  } catch (error) {
    const { code, message } = toProblem(error)
    if (code === 'unsupported') return { state: 'SKIP', figure: message }
    return code === 'bad-media' && message.includes(file)
      ? { state: 'PASS', figure: 'refused' }
      : fail(`${code}: ${message}`)
  }
  return fail('was accepted')
}

function framesOf(clip: Tensor): RgbFrame[] {
  const [count, height, width] = dims(clip, 4)
  const size = height * width * 3
  return Array.from({ length: count }, (_, i) => ({
    width,
    height,
    data: (clip.data as Uint8Array).subarray(i * size, (i + 1) * size),
  }))
}

function distance(frames: readonly RgbFrame[], reference: readonly RgbFrame[]): { mean: number; largest: number } {
  let [sum, count, largest] = [0, 0, 0]
  frames.forEach(({ data }, f) => {
    data.forEach((value, i) => {
      const apart = Math.abs(value - reference[f]!.data[i]!)
      sum += apart
      count++
      largest = Math.max(largest, apart)
    })
  })
  return { mean: sum / count, largest }
}
