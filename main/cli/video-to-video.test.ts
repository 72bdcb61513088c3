import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { prompt, useCli } from './testing.ts'

const { folder, run, generate, read } = useCli()
const common = (out: string): string[] => ['--prompt', prompt, '--out', out, '--steps', '4', '--seed', '9']
const vary = (out: string, ...more: string[]) =>
  run('generate', '--pipeline', 'video-to-video', ...common(out), '--video', 'a.webp', ...more)

/** The mean difference of two clips, of 255. */
async function apart(a: string, b: string): Promise<number> {
  const [one, other] = await Promise.all([a, b].map((name) => sharp(read(name), { animated: true }).raw().toBuffer()))
  expect(one!.length).toBe(other!.length)
  return one!.reduce((sum, value, i) => sum + Math.abs(value - other![i]!), 0) / one!.length
}

test('a clip is varied: little at a low strength, more at a high one, and the recipe names it', async () => {
  await generate('a.webp', '--frames', '4')
  for (const strength of ['0.25', '0.75']) {
    const made = await vary(`${strength}.webp`, '--strength', strength)
    expect(made.code, made.stderr).toBe(0)
    // The form asks for 8 frames, and the clip has 4.
    expect(made.stderr).toMatch(/a\.webp has 4 frames: so has the result/)
  }
  const [little, much] = [await apart('a.webp', '0.25.webp'), await apart('a.webp', '0.75.webp')]
  expect(little).toBeGreaterThan(0)
  expect(much).toBeGreaterThan(1.5 * little)
  const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(join(folder(), '0.25.webp')))!))
  expect(recipe).toMatchObject({ pipeline: 'video-to-video', settings: { strength: 0.25, video: { name: 'a.webp' } } })
})

test('a still begins to move', async () => {
  await run('generate', '--pipeline', 'text-to-image', ...common('a.png'))
  const options = ['--image', 'a.png', '--strength', '0.5', '--frames', '3']
  const made = await run('generate', '--pipeline', 'image-to-video', ...common('b.webp'), ...options)
  expect(made.code, made.stderr).toBe(0)
  const clip = await sharp(read('b.webp'), { animated: true }).raw().toBuffer()
  const still = await sharp(read('a.png')).raw().toBuffer()
  const frame = (at: number): Buffer => clip.subarray(at * still.length, (at + 1) * still.length)
  expect(clip.length).toBe(3 * still.length)
  const distance = (a: Buffer, b: Buffer): number =>
    a.reduce((sum, value, i) => sum + Math.abs(value - b[i]!), 0) / a.length
  expect(distance(frame(0), still)).toBeLessThan(40)
  expect(distance(frame(0), frame(2))).toBeGreaterThan(0)
})

test('what cannot be is refused in words', async () => {
  const without = await run('generate', '--pipeline', 'video-to-video', ...common('a.webp'))
  expect(without).toMatchObject({ code: 2, stderr: expect.stringMatching(/Choose a clip/) as string })
  await generate('a.webp')
  expect(await vary('b.webp', '--strength', '0.1')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/Of 4 steps, strength 0.1 leaves none: use at least 0.25/) as string,
  })
  expect(await vary('b.webp', '--strength', '0.3', '--free-init', '3')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/round 1 would have none/) as string,
  })
})
