import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { goldens } from '#app/checkpoints/testing.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, type Tensor } from '#app/tensor/tensor.ts'
import { useCli } from './testing.ts'

const { folder, run, farthest } = useCli()
const tiny = (name: string): string => join(goldens, 'pipelines/checkpoints', name)
const at = (...path: string[]): string => join(folder(), ...path)
const [circle, star] = ['circle.png', 'star.png']

beforeEach(async () => {
  const draw = (name: string, shape: string): Promise<unknown> =>
    sharp(Buffer.from(`<svg width="48" height="32"><rect width="48" height="32"/>${shape}</svg>`)).toFile(at(name))
  await draw(circle, '<circle cx="14" cy="16" r="10" fill="red"/>')
  await draw(star, '<path d="M34 2 L44 30 L20 12 H47 L24 30 Z" fill="pink"/>')
})

const make = async (pipeline: string, model: string, out: string, ...more: string[]): Promise<void> => {
  const made = await run(
    ...['generate', '--pipeline', pipeline, '--model', tiny(model), '--prompt', 'a circle', '--out', out],
    ...['--scheduler', 'DDIMScheduler', '--size', '24x16', '--steps', '4', '--seed', '5', ...more],
  )
  expect(made.code, made.stderr).toBe(0)
}

type Floats = Record<string, Tensor<'float32'>>
const floatsOf = async (path: string, wanted: RegExp): Promise<Floats> => {
  const { weights } = await openCheckpoint(path)
  const all = [...weights].filter(([name]) => wanted.test(name))
  return Object.fromEntries(
    await Promise.all(all.map(async ([name, weight]) => [name, toFloat32(await readWeight(weight))] as const)),
  )
}

/** A ControlNet as its training begins with it: the UNet's own way down, and more of it. */
async function writeXlControlNet(to: string): Promise<void> {
  const { config } = await openCheckpoint(tiny('sdxl-tiny/unet'))
  const { config: small } = await openCheckpoint(tiny('controlnet-tiny'))
  const own = Object.keys(small).filter((key) => key in config && !key.startsWith('_'))
  const weights = {
    ...(await floatsOf(tiny('sdxl-tiny/unet'), /^(time_embedding|add_embedding|conv_in|down_blocks|mid_block)/)),
    ...(await floatsOf(tiny('controlnet-tiny'), /^controlnet_/)),
  }
  mkdirSync(to)
  const all = { ...small, ...Object.fromEntries(own.map((key) => [key, config[key]])) }
  const forXl = { addition_embed_type: 'text_time', addition_time_embed_dim: 8 }
  writeFileSync(join(to, 'config.json'), JSON.stringify({ ...all, ...forXl }))
  await writeSafetensors(join(to, 'diffusion_pytorch_model.safetensors'), weights)
}

/** An IP-Adapter of four tokens for the eight layers that look at text. */
async function writeXlIpAdapter(to: string): Promise<void> {
  const values = (...shape: number[]): Tensor<'float32'> => {
    const size = shape.reduce((all, side) => all * side, 1)
    return float32(
      shape,
      Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898)),
    )
  }
  const layers = Array.from({ length: 8 }, (_, i) => `ip_adapter.${2 * i + 1}`)
  await writeSafetensors(to, {
    'image_proj.proj.weight': values(4 * 40, 20),
    'image_proj.proj.bias': values(4 * 40),
    'image_proj.norm.weight': values(40),
    'image_proj.norm.bias': values(40),
    ...Object.fromEntries(
      layers.flatMap((layer) => ['k', 'v'].map((which) => [`${layer}.to_${which}_ip.weight`, values(16, 40)])),
    ),
  })
}

test.each([
  ['text-to-image', 'sd-tiny-2', []],
  ['text-to-image-xl', 'sdxl-tiny', []],
  ['image-to-image', 'sd-tiny-2', ['--image', star, '--strength', '0.75']],
  ['image-to-image-xl', 'sdxl-tiny', ['--image', star, '--strength', '0.75']],
])('%s is steered by a picture of edges, and by a picture beside the prompt', async (pipeline, model, start) => {
  const still = (out: string, ...more: string[]): Promise<void> => make(pipeline, model, out, ...start, ...more)
  const isXl = model === 'sdxl-tiny'
  if (isXl) await writeXlControlNet(at('xl-net'))
  const net = isXl ? at('xl-net') : tiny('controlnet-tiny')
  const controlled = (how: string, picture = circle): string[] => [
    '--controlnet',
    net + how,
    '--control-frames',
    picture,
  ]
  await still('plain.png')
  await still('steered.png', ...controlled(''))
  expect(await farthest('steered.png', 'plain.png')).toBeGreaterThan(2)
  await still('never.png', ...controlled(':0'))
  expect(await farthest('never.png', 'plain.png')).toBe(0)
  // From a picture it is the same steering.
  const hows = [
    ['other.png', ...controlled('', star)],
    ['edges.png', ...controlled(',canny')],
    ['half.png', ...controlled('@0-0.4')],
    ['guessed.png', ...controlled(''), '--guess-mode'],
  ] as const
  for (const [out, ...how] of start.length > 0 ? [] : hows) {
    await still(out, ...how)
    expect(await farthest(out, 'steered.png'), out).toBeGreaterThan(0)
    expect(await farthest(out, 'plain.png'), out).toBeGreaterThan(0)
  }

  if (isXl) await writeXlIpAdapter(at('ip.safetensors'))
  else cpSync(join(goldens, 'checkpoints/ip-adapter/ip-adapter.safetensors'), at('ip.safetensors'))
  const adapter = ['--image-encoder', tiny('ip-image-encoder'), '--ip-adapter', at('ip.safetensors'), '--ip-picture']
  await still('with-circle.png', ...adapter, circle)
  await still('with-star.png', ...adapter, star)
  expect(await farthest('with-circle.png', 'plain.png')).toBeGreaterThan(2)
  expect(await farthest('with-circle.png', 'with-star.png')).toBeGreaterThan(0)

  const recipe = JSON.parse((await readRecipeFile(at('with-star.png')))!) as unknown
  expect(recipe).toMatchObject({ pipeline, settings: { ipPictures: [{ name: 'star.png' }] } })
})

test('what was trained beside another base is refused, and a ControlNet without a picture', async () => {
  const refused = async (words: RegExp, model: string, ...more: string[]): Promise<void> => {
    const pipeline = model === 'sdxl-tiny' ? 'text-to-image-xl' : 'text-to-image'
    const { code, stderr } = await run(
      ...['generate', '--pipeline', pipeline, '--model', tiny(model), '--prompt', 'x', '--out', 'no.png', ...more],
    )
    expect(code).toBe(2)
    expect(stderr).toMatch(words)
  }
  const net = ['--controlnet', tiny('controlnet-tiny')]
  await refused(/Choose a picture for each ControlNet/, 'sd-tiny-2', ...net)
  await refused(/controlnet-tiny is for another base model/, 'sdxl-tiny', ...net, '--control-frames', circle)
})

test.each([
  ['video-to-video', '--video'],
  ['image-to-video', '--image'],
])('%s is steered by the frames of another clip', async (pipeline, start) => {
  const clip = (out: string, ...more: string[]): Promise<void> =>
    make(
      ...([pipeline, 'sd-tiny-2', out, start, star, '--motion-adapter', tiny('motion-adapter-2')] as const),
      ...['--frames', '4', '--strength', '0.75', ...more],
    )
  const net = (how: string): string[] => ['--controlnet', tiny('controlnet-tiny') + how, '--control-frames', circle]
  await clip('plain.webp')
  await clip('steered.webp', ...net(''))
  await clip('edges.webp', ...net(',canny'))
  await clip('never.webp', ...net(':0'))
  expect(await farthest('steered.webp', 'plain.webp')).toBeGreaterThan(2)
  expect(await farthest('steered.webp', 'edges.webp')).toBeGreaterThan(0)
  expect(await farthest('never.webp', 'plain.webp')).toBe(0)
})
