import { cpSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { folder, run, farthest } = useCli()
const tiny = join(appRoot(), 'e2e/goldens/pipelines/checkpoints/sdxl-tiny')
const still = (out: string, ...more: string[]): string[] => [
  ...['generate', '--pipeline', 'text-to-image-xl', '--model', tiny, '--prompt', 'a red star', '--out', out],
  ...['--steps', '2', '--seed', '5', '--size', '32x32', ...more],
]

test('XL reads a second prompt and is told sizes and crops, each of which changes the picture', async () => {
  const plain = await run(...still('plain.png'))
  expect(plain.code, plain.stderr).toBe(0)
  const differenceWith = async (...options: string[]): Promise<number> => {
    const made = await run(...still('other.png'), ...options)
    expect(made.code, made.stderr).toBe(0)
    return farthest('other.png', 'plain.png')
  }
  expect(await differenceWith('--prompt-2', 'a blue square')).toBeGreaterThan(1)
  expect(await differenceWith('--negative-prompt', 'blurry')).toBeGreaterThan(1)
  expect(await differenceWith('--original-size', '64x48', '--crop-top-left', '4,8')).toBeGreaterThan(1)
  const recipe = JSON.parse((await readRecipeFile(join(folder(), 'other.png')))!) as unknown
  expect(recipe).toMatchObject({
    pipeline: 'text-to-image-xl',
    settings: { originalSize: { width: 64, height: 48 }, cropTopLeft: { left: 4, top: 8 }, targetSize: null },
  })
})

test('XL makes a picture anew', async () => {
  expect((await run(...still('start.png'))).code).toBe(0)
  const anew = ['--pipeline', 'image-to-image-xl', '--image', join(folder(), 'start.png'), '--strength', '0.5']
  const made = await run(...still('again.png'), ...anew)
  expect(made.code, made.stderr).toBe(0)
  expect(await farthest('again.png', 'start.png')).toBeGreaterThan(0)
})

test('what does not fit together is refused in words before anything is loaded', async () => {
  const refusal = async (...args: string[]): Promise<string> => {
    const refused = await run(...args)
    expect(refused.code).not.toBe(0)
    return refused.stderr
  }
  expect(await refusal(...still('a.png'), '--model', 'moving-shapes')).toMatch(
    /is a Stable Diffusion model, not a Stable Diffusion XL model/,
  )
  expect(await refusal(...still('a.png'), '--pipeline', 'text-to-image')).toMatch(
    /is a Stable Diffusion XL model, not a Stable Diffusion model/,
  )
  expect(await refusal(...still('a.png'), '--negative-target-size', '64x64')).toMatch(
    /Give the negative original size too/,
  )
  const cut = join(folder(), 'cut')
  cpSync(tiny, cut, { recursive: true })
  rmSync(join(cut, 'tokenizer_2'), { recursive: true })
  expect(await refusal(...still('a.png'), '--model', cut)).toMatch(/tokenizer_2\/vocab.json/)
})
