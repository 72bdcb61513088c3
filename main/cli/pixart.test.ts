import {
  cpSync,
  openSync,
  closeSync,
  readFileSync,
  readdirSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { appRoot } from '#main/paths.ts'
import { runHere, useCli, withoutEngine } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const bundled = join(appRoot(), 'e2e/goldens/pipelines/checkpoints/pixart-sigma-32')
const still = (out: string, prompt = 'a red star', model = bundled): string[] => [
  ...['generate', '--pipeline', 'pixart', '--model', model, '--prompt', prompt, '--out', out],
  ...['--steps', '2', '--seed', '5', '--size', '64x64', '--resolution-binning', 'off'],
]
const made = async (...args: string[]): Promise<void> => {
  const { code, stderr } = await run(...args)
  expect(code, stderr).toBe(0)
}

test('a folder of its own makes a picture with a recipe, at the asked size whatever the trained one is', async () => {
  await made(...still('a.png'))
  const recipe = JSON.parse((await readRecipeFile(join(folder(), 'a.png')))!) as unknown
  expect(recipe).toMatchObject({
    frameloom: 2,
    pipeline: 'pixart',
    settings: { prompt: 'a red star', guidanceScale: 4.5, useResolutionBinning: false, cleanCaption: true },
    models: { model: [{ name: 'pixart-sigma-32' }], loras: [] },
  })
  await made(...still('binned.png'), '--resolution-binning', 'on', '--size', '100x52')
  expect(await sharp(read('binned.png')).metadata()).toMatchObject({ width: 100, height: 52 })
})

test('LoRAs, caption cleaning and the length of prompts change it; processors and fused projections do not', async () => {
  await made(...still('plain.webp', 'a red star, free shipping'))
  const lora = join(folder(), 'night.safetensors')
  await writeTestLora(join(bundled, 'transformer/diffusion_pytorch_model.safetensors'), lora)
  const differenceWith = async (...options: string[]): Promise<number> => {
    await made(...still('other.webp', 'a red star, free shipping'), ...options)
    return farthest('other.webp', 'plain.webp')
  }
  expect(await differenceWith('--lora', lora)).toBeGreaterThan(2)
  expect(await differenceWith('--clean-caption', 'off')).toBeGreaterThan(2)
  expect(await differenceWith('--max-sequence-length', '3')).toBeGreaterThan(2)
  expect(await differenceWith('--attn', 'SlicedAttnProcessor:1')).toBeLessThanOrEqual(1)
  expect(await differenceWith('--fuse-qkv')).toBeLessThanOrEqual(1)
})

test('its layers are listed, and processors by layer make the same picture', async () => {
  await made('processors', '--model', bundled, '--out', 'map.json')
  const map = JSON.parse(read('map.json').toString()) as Record<string, object>
  const paths = [0, 1].flatMap((block) => [1, 2].map((n) => `transformer_blocks.${block}.attn${n}.processor`))
  expect(Object.keys(map)).toEqual(paths)
  map[paths[3]!] = { processor: 'SlicedAttnProcessor', slice_size: 1 }
  writeFileSync(join(folder(), 'map.json'), JSON.stringify(map))
  await made(...still('plain.webp'))
  await made(...still('mapped.webp'), '--processors', 'map.json')
  expect(await farthest('plain.webp', 'mapped.webp')).toBeLessThanOrEqual(1)
  const recipe = JSON.parse((await readRecipeFile(join(folder(), 'mapped.webp')))!) as unknown
  expect(recipe).toMatchObject({ settings: { attnProcessor: { [paths[3]!]: { slice_size: 1 } } } })
})

test('a prompt that was read once is not read again', async () => {
  const model = join(folder(), 'model')
  cpSync(bundled, model, { recursive: true })
  const weights = join(model, 'text_encoder', 'model.safetensors')
  const time = new Date(1.7e12)
  utimesSync(weights, time, time)
  await made(...still('first.webp', 'a red star', model))
  // Whoever reads a weight now finds NaN.
  const { size } = statSync(weights)
  const header = 8 + Number(readFileSync(weights).readBigUInt64LE(0))
  const file = openSync(weights, 'r+')
  writeSync(file, new Uint8Array(size - header).fill(0xff), 0, size - header, header)
  closeSync(file)
  utimesSync(weights, time, time)
  await made(...still('again.webp', 'a red star', model))
  expect(await farthest('first.webp', 'again.webp')).toBe(0)
  const other = await run(...still('other.webp', 'a blue star', model))
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('text_encoder') as string })
  expect(readdirSync(folder())).not.toContain('other.webp')
})

test('the commands of docs/recipes/pixart.md run, and each makes another picture', async () => {
  const page = readFileSync(join(appRoot(), 'docs/recipes/pixart.md'), 'utf8')
  const commands = page.split('\n').flatMap((line) => (line.startsWith('    frameloom ') ? [line.trim()] : []))
  expect(commands.length).toBeGreaterThan(4)
  const pictures = new Set<string>()
  for (const command of commands) {
    const [, ...args] = command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''))
    await made(...args.map((word) => (word.startsWith('e2e/') ? join(appRoot(), word) : word)), '--seed', '5')
    pictures.add(read(args[args.indexOf('--out') + 1]!).toString('base64'))
  }
  expect(pictures.size).toBe(commands.length)
})

test('what PixArt has not is refused before an engine starts', async () => {
  for (const [option, value] of [
    ['--freeu', 'off'],
    ['--clip-skip', '1'],
    ['--frames', '4'],
    ['--chunking', '1'],
  ])
    expect(await runHere(withoutEngine, [...still('a.png'), option!, value!])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${option}: pixart has no such setting`) as string,
    })
})

test('a size that no whole patch covers is refused, with the sizes beside it', async () => {
  expect(await run(...still('a.png'), '--size', '72x64')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(
      'Width 72 is not a multiple of 16, as pixart-sigma-32 needs: use 64 or 80.',
    ) as string,
  })
})
