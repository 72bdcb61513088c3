import { expect, test } from 'vitest'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { isKept, steered, type Conditioning, type ConditioningParts, type Residuals } from './conditioning.ts'
import type { DenoiserInputs, DiffusionParts } from './diffusion.ts'

type Floats = Tensor<'float32'>

/** Latents of two halves (2, 1, frames 3, 1, 1) whose numbers say half and frame. */
const sample = float32([2, 1, 3, 1, 1], [0, 1, 2, 10, 11, 12])
const inputs: DenoiserInputs = {
  sample,
  timestep: float32([1], [5]),
  encoderHiddenStates: float32([2, 1, 1], [7, 8]),
  freeu: null,
  step: 0,
  totalSteps: 4,
}

/** What the denoiser is given by a run that is steered so, at a step. */
async function givenTo(
  conditioning: Conditioning,
  parts: ConditioningParts,
  change: Partial<DenoiserInputs> = {},
): Promise<DenoiserInputs> {
  const seen: DenoiserInputs[] = []
  const denoise: DiffusionParts['denoise'] = (given) => {
    seen.push(given)
    return Promise.resolve(given.sample)
  }
  const encode = (image: Floats) =>
    Promise.resolve({ mean: float32([1, 1, 1, 1], [image.data[0]!]), std: float32([1, 1, 1, 1], [1]) })
  const all = { ...parts, denoise, encode, scalingFactor: 2 } as DiffusionParts & ConditioningParts
  const draw = (): Float32Array => Float32Array.of(100, 200)
  const run = await steered(all, conditioning, { numFrames: 3, guided: true, draw })
  await run({ ...inputs, ...change })
  return seen[0]!
}

/** Answers each row with its own number, times the scale. */
const echo = ({ sample: x, scale }: { sample: Floats; scale: number }): Promise<Residuals> => {
  const answer = (): Floats => float32(x.shape, x.data.map((value) => value * scale)) // prettier-ignore
  return Promise.resolve({ down: [answer()], mid: answer() })
}
const frames = float32([3, 3, 1, 1], new Float32Array(9))
const control = { frames, scale: 1, start: 0, end: 1 }

test('a step counts where it lies wholly between two parts of the run', () => {
  const kept = (start: number, end: number): boolean[] => [0, 1, 2, 3].map((step) => isKept(step, 4, { start, end }))
  expect(kept(0, 1)).toEqual([true, true, true, true])
  expect(kept(0.25, 0.75)).toEqual([false, true, true, false])
  expect(kept(0.3, 1)).toEqual([false, false, true, true])
  expect(kept(0, 0.1)).toEqual([false, false, false, false])
})

test('a net sees the frames one by one, and what several say is added', async () => {
  const parts = { controlNets: [echo, echo] }
  const { residuals } = await givenTo({ controls: [control, { ...control, scale: 2 }] }, parts)
  expect(residuals!.mid.shape).toEqual([6, 1, 1, 1])
  expect([...residuals!.mid.data]).toEqual([0, 3, 6, 30, 33, 36])
  const late = await givenTo({ controls: [{ ...control, start: 0.5 }] }, { controlNets: [echo] })
  expect(late.residuals).toBeUndefined()
  expect((await givenTo({ controls: [{ ...control, scale: 0 }] }, { controlNets: [echo] })).residuals).toBeUndefined()
})

test('a guess is added to the half with the prompt alone', async () => {
  const { residuals } = await givenTo({ controls: [control], guessMode: true }, { controlNets: [echo] })
  expect([...residuals!.mid.data]).toEqual([0, 0, 0, 10, 11, 12])
})

test('a window of the clip is steered by its own frames', async () => {
  const numbered = float32([3, 1, 1, 1], [4, 5, 6])
  const seen: Floats[] = []
  const net = async (given: Parameters<typeof echo>[0] & { cond: Floats }): Promise<Residuals> => {
    seen.push(given.cond)
    return echo(given)
  }
  const window = { sample: float32([2, 1, 2, 1, 1], [2, 0, 12, 10]), frames: [2, 0] }
  await givenTo({ controls: [{ ...control, frames: numbered }] }, { controlNets: [net] }, window)
  expect([...seen[0]!.data]).toEqual([6, 4])
})

test('SparseCtrl gets its pictures in their frames, as latents where it takes them', async () => {
  const seen: Record<string, Floats>[] = []
  const run = (given: { sample: Floats; scale: number; cond: Floats; mask: Floats }): Promise<Residuals> => {
    seen.push({ cond: given.cond, mask: given.mask })
    return echo(given)
  }
  const pictures = float32([2, 1, 1, 1], [0.5, 1])
  const sparse = { pictures, indices: [2, 0], scale: 1 }
  await givenTo({ sparse }, { sparseControlNet: { takesLatents: false, run } })
  expect([...seen[0]!.cond!.data]).toEqual([1, 0, 0.5])
  expect([...seen[0]!.mask!.data]).toEqual([1, 0, 1])
  await givenTo({ sparse }, { sparseControlNet: { takesLatents: true, run } })
  expect([...seen[1]!.cond!.data]).toEqual([(1 + 200) * 2, 0, (0 + 100) * 2])
})

test('a picture stands beside the prompt, and its opposite beside the negative prompt', async () => {
  const embeds = (): Promise<{ embeds: Floats; negative: Floats }> =>
    Promise.resolve({ embeds: float32([1, 2], [3, 4]), negative: float32([1, 2], [0, 0]) })
  const request = { imagePrompts: [{ pixels: frames, scale: 0.5 }] }
  const { imagePrompts } = await givenTo(request, { imageEncoders: [embeds] })
  expect(imagePrompts!.scales).toEqual([0.5])
  expect(imagePrompts!.embeds[0]!.shape).toEqual([2, 1, 2])
  expect([...imagePrompts!.embeds[0]!.data]).toEqual([0, 0, 3, 4])
})

test('too few frames and a picture beyond the end are refused by their field', async () => {
  const short = { controls: [{ ...control, frames: float32([2, 3, 1, 1], new Float32Array(6)) }] }
  await expect(givenTo(short, { controlNets: [echo] })).rejects.toMatchObject({ problem: { field: 'controlNets' } })
  const late = { sparse: { pictures: float32([1, 1, 1, 1], [1]), indices: [3], scale: 1 } }
  const sparseControlNet = { takesLatents: false, run: echo }
  await expect(givenTo(late, { sparseControlNet })).rejects.toMatchObject({ problem: { field: 'sparseControl' } })
})
