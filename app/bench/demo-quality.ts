import { join } from 'node:path'
import type { DiffusionParts } from '#app/pipelines/diffusion.ts'
import { textToVideo } from '#app/pipelines/text-to-video.ts'
import type { Pixels } from '#app/contract/engine.ts'
import { openClassifier } from '#app/pipelines/node/classifier.ts'
import { pixelsOf } from '#app/pipelines/node/preview.ts'
import { openTextToVideo } from '#app/pipelines/node/text-to-video.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'

/** The colours that the demo models were trained on, as RGB in 0..1. */
const colors: Readonly<Record<string, readonly [number, number, number]>> = {
  red: [0.9, 0.18, 0.2],
  green: [0.2, 0.72, 0.36],
  blue: [0.2, 0.42, 0.92],
  yellow: [0.97, 0.85, 0.22],
  purple: [0.58, 0.3, 0.85],
  orange: [0.98, 0.55, 0.14],
  pink: [0.97, 0.5, 0.7],
  white: [0.96, 0.96, 0.96],
}
const grounds = ['black', 'navy', 'gray', 'teal', 'cream']

/** The prompts of the reference's evaluation: each label with each of four seeds, colours and grounds in turn. */
export function prompts(
  labels: readonly string[],
  seeds: number,
): { label: string; color: string; prompt: string; seed: number }[] {
  return labels.flatMap((label, i) =>
    Array.from({ length: seeds }, (_, seed) => {
      const [shape, ...motion] = label.split(' ')
      const color = Object.keys(colors)[(i + seed) % 8]!
      return {
        label,
        color,
        seed,
        prompt: `a ${color} ${shape} ${motion.join(' ')} on a ${grounds[(i + 2 * seed) % 4]} background`,
      }
    }),
  )
}

/**
 * How often the bundled models' clips show the shape and the colour of their prompt. The seeds draw the
 * noise that the reference's evaluation had. Prints one line of JSON.
 */
export async function demoQuality(models: string, seeds: number): Promise<void> {
  const sessions = new SessionCache()
  const { parts } = await openTextToVideo(
    sessions,
    join(models, 'moving-shapes'),
    join(models, 'moving-shapes-motion'),
    { forwardChunking: null, scheduler: null, eta: 0 },
  )
  const { parts: classifier } = await openClassifier(sessions, join(models, 'moving-shapes-timesformer'), 'demo')
  const counts = { clips: 0, shape: 0, color: 0, label: 0 }
  for (const { label, color, prompt, seed } of prompts(classifier.labels, seeds)) {
    const pixels = await generate(parts, prompt, seed)
    const frames = Array.from({ length: pixels.count }, (_, f) => ({
      width: 64,
      height: 64,
      data: pixels.data.subarray(f * 12288, (f + 1) * 12288),
    }))
    const logits = (await classifier.forward(classifier.pixelValues(frames.map(classifier.prepare)))).data
    const said = classifier.labels[logits.indexOf(Math.max(...logits))]!
    counts.clips++
    counts.label += Number(said === label)
    counts.shape += Number(said.split(' ')[0] === label.split(' ')[0])
    counts.color += Number(nearestColor(pixels) === color)
  }
  const part = (count: number): number => count / counts.clips
  console.log(
    JSON.stringify({
      clips: counts.clips,
      shape: part(counts.shape),
      color: part(counts.color),
      label: part(counts.label),
    }),
  )
}

async function generate(parts: DiffusionParts, prompt: string, seed: number): Promise<Pixels> {
  const request = {
    prompt,
    negativePrompt: '',
    width: 64,
    height: 64,
    numFrames: 8,
    numInferenceSteps: 20,
    guidanceScale: 4,
    seed,
    clipSkip: null,
  }
  const images = []
  for await (const event of textToVideo(parts, request, () => null))
    if (event.type === 'frame') images.push(event.image)
  return pixelsOf(images)
}

/** The named colour nearest to what stands out from the ground, which is the median of the frames' borders. */
function nearestColor({ width, height, count, data }: Pixels): string {
  const at = (f: number, x: number, y: number): [number, number, number] => {
    const i = ((f * height + y) * width + x) * 3
    return [data[i]! / 255, data[i + 1]! / 255, data[i + 2]! / 255]
  }
  const border: [number, number, number][] = []
  const all: [number, number, number][] = []
  for (let f = 0; f < count; f++)
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        all.push(at(f, x, y))
        if (x === 0 || y === 0 || x === width - 1 || y === height - 1) border.push(at(f, x, y))
      }
  const ground = [0, 1, 2].map((c) => border.map((rgb) => rgb[c]!).sort((a, b) => a - b)[border.length >> 1]!)
  const apart = (a: readonly number[], b: readonly number[]): number =>
    Math.hypot(a[0]! - b[0]!, a[1]! - b[1]!, a[2]! - b[2]!)
  const standing = all.toSorted((a, b) => apart(b, ground) - apart(a, ground)).slice(0, Math.floor(all.length * 0.04))
  const mean = [0, 1, 2].map((c) => standing.reduce((sum, rgb) => sum + rgb[c]!, 0) / standing.length)
  return Object.entries(colors).sort(([, a], [, b]) => apart(a, mean) - apart(b, mean))[0]![0]
}
