import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { recipeSchema } from '#app/contract/recipe.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { prompt, useCli } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const clip = (out: string, frames: number, ...more: string[]): string[] => [
  ...['generate', '--out', out, '--frames', String(frames), '--steps', '4', '--seed', '3', '--guidance', '4'],
  ...more,
]
const make = async (...args: string[]): Promise<void> => {
  const made = await run(...args)
  expect(made.code, made.stderr).toBe(0)
}

/** The mean difference between frames of a clip, of 255. */
async function distances(out: string): Promise<(a: number, b: number) => number> {
  const picture = sharp(read(out), { animated: true })
  const { pages = 1 } = await picture.metadata()
  const pixels = await picture.raw().toBuffer()
  const size = pixels.length / pages
  return (a, b) => {
    let sum = 0
    for (let i = 0; i < size; i++) sum += Math.abs(pixels[a * size + i]! - pixels[b * size + i]!)
    return sum / size
  }
}

test('the last frame of a closed loop goes on into the first, and that of an open clip does not', async () => {
  const frames = 16
  const seam = async (kind: string): Promise<{ seam: number; step: number }> => {
    await make(...clip(`${kind}.webp`, frames, '--prompt', prompt, '--long-clip', `${kind},length=8,stride=4`))
    const distance = await distances(`${kind}.webp`)
    const steps = Array.from({ length: frames - 1 }, (_, i) => distance(i, i + 1))
    return { seam: distance(frames - 1, 0), step: steps.reduce((sum, step) => sum + step) / steps.length }
  }
  const looped = await seam('looped')
  expect(looped.seam).toBeLessThan(1.2 * looped.step)
  const open = await seam('uniform')
  expect(open.seam).toBeGreaterThan(1.8 * open.step)
})

test('prompts go over from one to the next, and the recipe has them', async () => {
  const other = 'a blue square growing on a teal background'
  const frames = 12
  await make(...clip('one.webp', frames, '--prompt', prompt))
  await make(...clip('two.webp', frames, '--prompt', `0: ${prompt}`, '--prompt', `11: ${other}`))
  const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(join(folder(), 'two.webp')))!))
  expect(recipe.settings).toMatchObject({ prompt, laterPrompts: [{ frame: 11, prompt: other }] })
  const [one, two] = [await distances('one.webp'), await distances('two.webp')]
  expect(two(0, frames - 1)).toBeGreaterThan(2 * one(0, frames - 1))
})

test('40 frames need windows or FreeNoise, which make others of the same seed; FreeInit makes another clip', async () => {
  const refused = await run(...clip('a.webp', 40, '--prompt', prompt))
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/at most 24\. Windows or FreeNoise/) as string,
  })
  await make(...clip('windows.webp', 28, '--prompt', prompt, '--long-clip', 'overlapped,length=8,stride=8'))
  await make(...clip('noise.webp', 28, '--prompt', prompt, '--long-clip', 'freenoise,length=8,stride=8'))
  expect(await farthest('windows.webp', 'noise.webp')).toBeGreaterThan(10)
  await make(...clip('plain.webp', 4, '--prompt', prompt))
  await make(...clip('rounds.webp', 4, '--prompt', prompt, '--free-init', '2,method=gaussian'))
  expect(await farthest('plain.webp', 'rounds.webp')).toBeGreaterThan(10)
})

test('a clip that layers see in parts is the same clip, and the recipe says so', async () => {
  const long = ['--prompt', prompt, '--long-clip', 'freenoise,length=8,stride=4']
  await make(...clip('whole.webp', 12, ...long))
  await make(...clip('parts.webp', 12, ...long, '--split-inference', '10,5'))
  expect(await farthest('whole.webp', 'parts.webp')).toBeLessThanOrEqual(1)
  const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(join(folder(), 'parts.webp')))!))
  expect(recipe.settings).toMatchObject({ splitInference: { spatialSplitSize: 10, temporalSplitSize: 5 } })
})

test('frames decoded in tiles differ a little, and the recipe says so', async () => {
  const wide = ['--prompt', prompt, '--size', '96x64']
  await make(...clip('whole.webp', 2, ...wide))
  await make(...clip('tiles.webp', 2, ...wide, '--vae-tiling', '64'))
  expect(await farthest('whole.webp', 'tiles.webp')).toBeGreaterThan(0)
  const [whole, tiles] = await Promise.all(['whole.webp', 'tiles.webp'].map((out) => sharp(read(out)).stats()))
  for (const [i, { mean }] of whole!.channels.entries()) expect(tiles!.channels[i]!.mean / mean).toBeCloseTo(1, 0)
  const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(join(folder(), 'tiles.webp')))!))
  expect(recipe.settings).toMatchObject({ vaeTiling: 64 })
  expect(await run(...clip('a.webp', 2, ...wide, '--vae-tiling', '70'))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/multiple of 32/) as string,
  })
})

test('what is off is off, as if it had not been named', async () => {
  await make(...clip('plain.webp', 4, '--prompt', prompt, '--freeu', 'off'))
  await make(
    ...clip('off.webp', 4, '--prompt', prompt, '--long-clip', 'off', '--split-inference', 'off', '--vae-tiling', 'off'),
  )
  expect(read('off.webp')).toEqual(read('plain.webp'))
})

test('several prompts are refused for a still', async () => {
  const options = ['--pipeline', 'text-to-image', '--prompt', '0: a cat', '--prompt', '3: a dog']
  expect(await run('generate', '--out', 'a.png', ...options)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/text-to-image has no setting laterPrompts/) as string,
  })
})
