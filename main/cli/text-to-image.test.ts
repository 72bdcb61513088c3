import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { prompt, runHere, useCli, withoutEngine } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const still = (out: string): string[] => [
  ...['generate', '--pipeline', 'text-to-image', '--prompt', prompt, '--out', out],
  ...['--steps', '2', '--seed', '5'],
]

test('PNG and WebP hold the same picture, each with the whole recipe', async () => {
  for (const out of ['a.png', 'a.webp']) {
    const made = await run(...still(out))
    expect(made.code, made.stderr).toBe(0)
    const recipe = JSON.parse((await readRecipeFile(join(folder(), out)))!) as unknown
    expect(recipe).toMatchObject({
      frameloom: 2,
      pipeline: 'text-to-image',
      settings: { prompt, seed: 5, width: 64, height: 64 },
      models: { model: [{ id: 'moving-shapes' }], loras: [] },
    })
  }
  expect(await sharp(read('a.png')).metadata()).toMatchObject({ format: 'png', width: 64, height: 64 })
  expect(await farthest('a.png', 'a.webp')).toBe(0)
})

test('FreeU and LoRAs change it; processors, chunks and fused projections do not', async () => {
  await run(...still('plain.webp'))
  const lora = join(folder(), 'night.safetensors')
  await writeTestLora(join(bundledModelsDir(), 'moving-shapes/unet/diffusion_pytorch_model.safetensors'), lora)
  const differenceWith = async (...options: string[]): Promise<number> => {
    const made = await run(...still('other.webp'), ...options)
    expect(made.code, made.stderr).toBe(0)
    return farthest('other.webp', 'plain.webp')
  }
  expect(await differenceWith('--freeu', 'SD 1.5')).toBeGreaterThan(2)
  expect(await differenceWith('--lora', lora)).toBeGreaterThan(2)
  expect(await differenceWith('--attn', 'SlicedAttnProcessor:2')).toBeLessThanOrEqual(1)
  expect(await differenceWith('--chunking', '1,0')).toBeLessThanOrEqual(1)
  expect(await differenceWith('--fuse-qkv')).toBeLessThanOrEqual(1)
})

test('what is only for clips is refused before an engine starts', async () => {
  for (const [options, words] of [
    [['--frames', '4'], /--frames: text-to-image has no such setting/],
    [['--motion-adapter', 'x'], /--motion-adapter: text-to-image has no such setting/],
  ] as const)
    expect(await runHere(withoutEngine, [...still('a.png'), ...options])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(words) as string,
    })
  expect(await runHere(withoutEngine, still('a.mp4'))).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/a still is written as .png or .webp/) as string,
  })
})
