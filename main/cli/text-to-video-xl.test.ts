import { join } from 'node:path'
import { expect, test } from 'vitest'
import { recipeSchema } from '#app/contract/recipe.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { prompt, useCli } from './testing.ts'

const { folder, run, farthest } = useCli()
const at = (name: string): string => join(import.meta.dirname, '../../e2e/goldens/pipelines/checkpoints', name)
const clip = (out: string, ...more: string[]) =>
  run(
    ...['generate', '--pipeline', 'text-to-video-xl', '--prompt', prompt, '--out', out, '--seed', '5'],
    ...['--model', at('sdxl-tiny'), '--motion-adapter', at('motion-adapter-xl'), '--steps', '2', '--size', '24x16'],
    ...more,
  )

test('clips are made over Stable Diffusion XL, in windows too, and the recipe says how', async () => {
  for (const [out, more] of [
    ['a.webp', ['--frames', '6']],
    ['b.webp', ['--frames', '6', '--long-clip', 'overlapped,length=4,stride=2']],
    ['c.webp', ['--frames', '6', '--freeu', 'SDXL']],
  ] as const) {
    const made = await clip(out, ...more)
    expect(made.code, made.stderr).toBe(0)
  }
  expect(await farthest('a.webp', 'b.webp')).toBeGreaterThan(0)
  expect(await farthest('a.webp', 'c.webp')).toBeGreaterThan(0)
  const recipe = recipeSchema.parse(JSON.parse((await readRecipeFile(join(folder(), 'b.webp')))!))
  expect(recipe).toMatchObject({ pipeline: 'text-to-video-xl', settings: { longClip: { kind: 'overlapped' } } })
})

test('an adapter of another model is refused in words', async () => {
  const refused = { code: 2, stderr: expect.stringMatching(/does not fit/) as string }
  expect(await clip('a.webp', '--motion-adapter', 'moving-shapes-motion')).toMatchObject(refused)
  const onFirst = ['--model', 'moving-shapes', '--motion-adapter', at('motion-adapter-xl')]
  expect(await run('generate', '--prompt', prompt, '--out', 'a.webp', ...onFirst)).toMatchObject(refused)
})
