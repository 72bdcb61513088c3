import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { renamed } from '#app/checkpoints/layouts/views.ts'
import { goldens } from '#app/checkpoints/testing.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { prompt, useCli } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const tiny = join(goldens, 'checkpoints/autoencoder-tiny-taesd')
const common = ['--prompt', prompt, '--steps', '2', '--seed', '5', '--out']
const still = (out: string): string[] => ['generate', '--pipeline', 'text-to-image', ...common, out]

/** The decoding half as it is published: its first layer has no weights. */
async function writeDecoder(file: string): Promise<void> {
  const weights = [...(await openCheckpoint(tiny)).weights].flatMap(([key, weight]) => {
    const [, at, rest] = /^decoder\.layers\.(\d+)\.(.*)$/.exec(key) ?? []
    return at === undefined ? [] : [renamed(weight, `${Number(at) + 1}.${rest}`)]
  })
  await writeWeights(file, weights)
}

test('a tiny autoencoder decodes a run, as a folder and as the file of its decoder alone', async () => {
  const models = join(folder(), 'models')
  mkdirSync(models)
  cpSync(tiny, join(models, 'tiny'), { recursive: true })
  await writeDecoder(join(models, 'tiny_decoder.safetensors'))
  const made = await run(...still('own.webp'))
  expect(made.code, made.stderr).toBe(0)
  for (const vae of ['tiny', 'tiny_decoder.safetensors']) {
    const { code, stderr, stdout } = await run(...still(`${vae}.webp`), '--vae', join(models, vae), '--json')
    expect(code, stderr).toBe(0)
    const { recipe } = JSON.parse(stdout) as { recipe: { models: Record<string, { sha256: object }[]> } }
    expect(Object.keys(recipe.models.vae![0]!.sha256)).toHaveLength(1)
  }
  expect(await farthest('tiny.webp', 'tiny_decoder.safetensors.webp')).toBe(0)
  expect(await farthest('tiny.webp', 'own.webp')).toBeGreaterThan(20)
})

test('it shows steps of a run and changes nothing, and a large autoencoder is refused for that', async () => {
  cpSync(tiny, join(folder(), 'tiny'), { recursive: true })
  await run(...still('plain.webp'))
  const shown = await run(...still('shown.webp'), '--preview-vae', 'tiny', '--json')
  expect(shown.code, shown.stderr).toBe(0)
  const { recipe } = JSON.parse(shown.stdout) as { recipe: { models: Record<string, { name: string }[]> } }
  expect(recipe.models.previewVae).toMatchObject([{ name: 'tiny' }])
  expect(await farthest('shown.webp', 'plain.webp')).toBe(0)

  cpSync(join(bundledModelsDir(), 'moving-shapes/vae'), join(folder(), 'large'), { recursive: true })
  expect(await run(...still('no.webp'), '--preview-vae', 'large')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/large is no tiny autoencoder/) as string,
  })
})

test('it reads a picture, and one of another base is refused', async () => {
  await run(...still('begin.webp'))
  const vary = ['generate', '--pipeline', 'image-to-image', '--image', 'begin.webp', '--strength', '0.5', ...common]
  cpSync(tiny, join(folder(), 'tiny'), { recursive: true })
  const varied = await run(...vary, 'varied.webp', '--vae', 'tiny')
  expect(varied.code, varied.stderr).toBe(0)
  expect(read('varied.webp').length).toBeGreaterThan(0)

  await writeDecoder(join(folder(), 'taesd_decoder.safetensors'))
  const other = await run(...still('no.webp'), '--vae', 'taesd_decoder.safetensors')
  expect(other).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/latents scaled by 0\.18215.*trained for another base/) as string,
  })
})
