import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { readWeight } from '#app/checkpoints/read.ts'
import { parsePythonJson } from '#app/checkpoints/python-json.ts'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { toProblem } from '#app/contract/errors.ts'
import { sameShape, showShape, type Tensor } from '#app/tensor/tensor.ts'
import { toFloat32 } from '#app/tensor/convert.ts'

export type Tensors = Record<string, Tensor>
export type Verdict = { readonly state: 'PASS' | 'FAIL' | 'SKIP'; readonly figure: string }

const mustSay = z.array(z.string())
export const modelCaseSchema = z.object({
  id: z.string(),
  model: z.string(),
  checkpoint: z.string(),
  setup: z.array(z.object({ call: z.string(), args: z.record(z.string(), z.unknown()) })),
  args: z.record(z.string(), z.unknown()),
  outputs: z.record(z.string(), z.array(z.int())).optional(),
  scale: z.record(z.string(), z.number()).optional(),
  error: z.object({ must_say: mustSay }).optional(),
})
export type ModelCase = z.infer<typeof modelCaseSchema>

/** Relative agreement that a float32 CPU run must reach, as a part of the output's largest value. */
export const tolerance = 1e-4

export const readJson = async (path: string): Promise<unknown> => parsePythonJson(await readFile(path, 'utf8'))

/** All tensors of a file, in memory. */
export async function readTensors(path: string): Promise<Tensors> {
  const { weights } = await readSafetensors(path)
  const entries = await Promise.all(
    [...weights.values()].map(async (weight) => [weight.name, await readWeight(weight)] as const),
  )
  return Object.fromEntries(entries)
}

/** Resolves a path that a case names against the folder of the reference cases, which is `start` or one above it. */
export function locate(start: string, path: string): string {
  for (let folder = start; ; folder = dirname(folder)) {
    if (existsSync(join(folder, path)) || dirname(folder) === folder) return join(folder, path)
  }
}

/** Largest difference as a part of `scale`, or of the largest expected value. */
export function difference(actual: Tensor, expected: Tensor, scale?: number): number {
  const [a, b] = [toFloat32(actual).data, toFloat32(expected).data]
  let [worst, largest] = [0, 0]
  for (let i = 0; i < b.length; i++) {
    const distance = Math.abs(a[i]! - b[i]!)
    if (distance > worst || Number.isNaN(distance)) worst = distance // NaN stays
    largest = Math.max(largest, Math.abs(b[i]!))
  }
  return worst === 0 ? 0 : worst / (scale ?? largest)
}

export function compare(
  actual: Tensors,
  expected: Tensors,
  limit: number,
  scales: Readonly<Record<string, number>> = {},
): Verdict {
  let worst = 0
  for (const [name, tensor] of Object.entries(expected)) {
    const ours = actual[name]
    if (!ours) return { state: 'FAIL', figure: `no output ${name}` }
    if (!sameShape(ours.shape, tensor.shape))
      return { state: 'FAIL', figure: `${name} is ${showShape(ours.shape)}, expected ${showShape(tensor.shape)}` }
    const error = difference(ours, tensor, scales[name])
    if (!(error <= limit))
      return { state: 'FAIL', figure: `${name} ${error.toExponential(1)} of ${limit.toExponential(0)}` }
    worst = Math.max(worst, error)
  }
  return { state: 'PASS', figure: worst.toExponential(1) }
}

/** Runs something that must fail with a message that holds every one of the given words. */
export async function mustFail(run: () => Promise<unknown>, words: readonly string[]): Promise<Verdict> {
  try {
    await run()
  } catch (error) {
    const { message, code } = toProblem(error)
    const missing = words.filter((word) => !message.includes(word))
    if (missing.length > 0)
      return { state: 'FAIL', figure: `the message does not say ${missing.join(', ')}: ${message}` }
    if (code === 'internal') return { state: 'FAIL', figure: `not a named error: ${message}` }
    return { state: 'PASS', figure: 'refused' }
  }
  return { state: 'FAIL', figure: 'was accepted' }
}
