import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { goldens } from '#app/checkpoints/testing.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { appRoot, bundledModelsDir } from '#main/paths.ts'
import { runHere, useCli, withoutEngine } from './testing.ts'

const { folder, run, farthest } = useCli()
const tiny = (name: string): string => join(goldens, 'pipelines/checkpoints', name)
const clip = join(bundledModelsDir(), 'clips/red-circle-moving-left.mp4')
const other = join(bundledModelsDir(), 'clips/pink-star-shrinking.webm')

const clipOf = (out: string, ...more: string[]): string[] => [
  ...['generate', '--pipeline', 'text-to-video', '--prompt', 'a circle', '--out', out, '--scheduler', 'DDIMScheduler'],
  ...['--model', tiny('sd-tiny-2'), '--motion-adapter', tiny('motion-adapter-2')],
  ...['--frames', '4', '--size', '24x16', '--steps', '2', '--seed', '5', ...more],
]
const made = async (out: string, ...more: string[]): Promise<void> => {
  const { code, stderr } = await run(...clipOf(out, ...more))
  expect(code, stderr).toBe(0)
}

beforeEach(() => {
  cpSync(join(goldens, 'checkpoints/ip-adapter'), join(folder(), 'ip'), { recursive: true })
  cpSync(tiny('ip-image-encoder'), join(folder(), 'ip/image_encoder'), { recursive: true })
})

test('a clip is steered by frames, by pictures of some frames, and by a picture beside the prompt', async () => {
  await made('plain.webp')
  const net = ['--controlnet', tiny('controlnet-tiny'), '--control-frames']
  const picture = ['--ip-adapter', 'ip/ip-adapter-plus.safetensors:0.6', '--ip-picture']
  const sparse = ['--sparse-control', `${tiny('sparsectrl-scribble')}@0,2`]
  for (const steering of [
    [...net, clip],
    [...sparse, '--sparse-picture', clip, '--sparse-picture', other],
    [...picture, clip],
  ]) {
    await made('steered.webp', ...steering)
    expect(await farthest('steered.webp', 'plain.webp'), steering[0]).toBeGreaterThan(10)
  }
  await made('one.webp', ...net, clip)
  await made('other.webp', ...net, other)
  expect(await farthest('one.webp', 'other.webp')).toBeGreaterThan(1)
  await made('edges.webp', '--controlnet', `${tiny('controlnet-tiny')},canny`, '--control-frames', clip)
  expect(await farthest('one.webp', 'edges.webp')).toBeGreaterThan(1)
  await made('never.webp', '--controlnet', `${tiny('controlnet-tiny')}:0`, '--control-frames', clip)
  expect(await farthest('never.webp', 'plain.webp')).toBe(0)
})

test('the recipe names the models and the files that steered it', async () => {
  await made(
    'all.webp',
    ...['--controlnet', `${tiny('controlnet-tiny')}:0.8@0-0.5`, '--control-frames', clip],
    ...['--ip-adapter', 'ip/ip-adapter.safetensors', '--ip-picture', other],
  )
  const recipe = JSON.parse((await readRecipeFile(join(folder(), 'all.webp')))!) as unknown
  expect(recipe).toMatchObject({
    settings: {
      controlNets: [{ scale: 0.8, start: 0, end: 0.5, detect: 'none' }],
      controlFrames: [{ name: 'red-circle-moving-left.mp4' }],
      ipAdapters: [{ scale: 1 }],
      ipPictures: [{ name: 'pink-star-shrinking.webm' }],
    },
    models: { controlNets: [{ name: 'controlnet-tiny' }], ipAdapters: [{ name: 'ip-adapter' }], sparseControl: [] },
  })
})

test('the commands of docs/recipes/steering.md run, and each is seen in the clip', async () => {
  const page = readFileSync(join(appRoot(), 'docs/recipes/steering.md'), 'utf8')
  const commands = page.split('\n').flatMap((line) => (line.startsWith('    frameloom ') ? [line.trim()] : []))
  expect(commands).toHaveLength(6)
  for (const command of commands) {
    const [, ...words] = command.match(/"[^"]*"|\S+/g)!.map((word) => word.replaceAll('"', ''))
    const args = words.map((word) => (/^(e2e|resources)\//.test(word) ? join(appRoot(), word) : word))
    const { code, stderr } = await run(...args)
    expect(code, stderr).toBe(0)
    const steering = args.findIndex((word) => /^--(controlnet|sparse-control|ip-adapter)$/.test(word))
    const plain = [...args.slice(0, steering), ...(args.includes('--guidance') ? ['--guidance', '4'] : [])]
    expect((await run(...plain, '--out', 'plain.webp')).code).toBe(0)
    expect(await farthest(args.at(-1)!, 'plain.webp'), command).toBeGreaterThan(5)
  }
})

test('what cannot work is refused in words', async () => {
  const refused = async (words: RegExp, ...more: string[]): Promise<void> => {
    const { code, stderr } = await run(...clipOf('no.webp', ...more))
    expect(code).not.toBe(0)
    expect(stderr).toMatch(words)
  }
  const alone = join(goldens, 'checkpoints/ip-adapter/ip-adapter.safetensors')
  await refused(/needs the image encoder that it was trained with/, '--ip-adapter', alone, '--ip-picture', clip)
  await refused(/Choose a clip for each ControlNet/, '--controlnet', tiny('controlnet-tiny'))
  await made('short.webp')
  await refused(
    /short\.webp has 4 frames, and the clip that it steers 8/,
    ...['--controlnet', tiny('controlnet-tiny'), '--control-frames', 'short.webp', '--frames', '8'],
  )
  const wrongBase = [
    ...['generate', '--pipeline', 'text-to-video', '--prompt', 'a circle', '--out', 'no.webp', '--frames', '2'],
    ...['--controlnet', tiny('controlnet-tiny'), '--control-frames', clip],
  ]
  expect((await run(...wrongBase)).stderr).toMatch(/is for another base model: its cross_attention_dim is 24/)
  const xl = ['generate', '--pipeline', 'text-to-video-xl', '-p', 'x', '-o', 'x.webp', '--controlnet', 'x']
  expect((await runHere(withoutEngine, xl)).stderr).toMatch(
    /--controlnet: text-to-video-xl has no such setting; text-to-video, .*text-to-image-xl.* have it/,
  )
})
