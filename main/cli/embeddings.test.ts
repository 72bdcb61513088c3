import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { readSafetensors } from '#app/checkpoints/safetensors.ts'
import { readRecipeFile } from '#app/media/node/recipe-file.ts'
import { appRoot } from '#main/paths.ts'
import { runHere, useCli, withoutEngine } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const checkpoint = (name: string): string => join(appRoot(), 'e2e/goldens/pipelines/checkpoints', name)
const prior = checkpoint('kandinsky-prior-2')
const decoder = checkpoint('kandinsky-decoder-ddpm')

const embed = (out: string, ...more: string[]) =>
  run(
    ...['generate', '--pipeline', 'text-to-embedding', '--model', prior, '--out', out],
    ...['--prior-steps', '3', '--seed', '7', ...more],
  )
const draw = (out: string, ...more: string[]) =>
  run(
    ...['generate', '--pipeline', 'prior-to-image', '--model', decoder, '--out', out],
    ...['--size', '32x32', '--steps', '2', '--prior-steps', '2', '--seed', '7', ...more],
  )
const cosines = async (...files: string[]): Promise<(number | null)[][]> => {
  const compared = await run('compare', '--json', ...files)
  expect(compared.code, compared.stderr).toBe(0)
  return (JSON.parse(compared.stdout) as { cosines: (number | null)[][] }).cosines
}
beforeEach(async () => {
  const photo = { create: { width: 60, height: 45, channels: 3 as const, background: '#803010' } }
  writeFileSync(join(folder(), 'photo.png'), await sharp(photo).png().toBuffer())
})

test('an embedding is a file with its recipe, which makes it again', async () => {
  const made = await embed('a.safetensors', '-p', 'a red star', '--negative-prompt', 'blurry')
  expect(made.code, made.stderr).toBe(0)
  const { weights, metadata } = await readSafetensors(join(folder(), 'a.safetensors'))
  expect([...weights.values()].map(({ name, shape, dtype }) => [name, shape, dtype])).toEqual([
    ['image_embeds', [1, 20], 'float32'],
    ['negative_image_embeds', [1, 20], 'float32'],
  ])
  expect(JSON.parse(metadata.recipe!)).toMatchObject({
    frameloom: 2,
    pipeline: 'text-to-embedding',
    settings: { prompt: 'a red star', negativePrompt: 'blurry', priorSteps: 3, priorGuidanceScale: 4, seed: 7 },
    models: { model: [{ name: 'kandinsky-prior-2' }] },
  })
  await embed('b.safetensors', '-p', 'a red star', '--negative-prompt', 'blurry')
  expect(read('b.safetensors').equals(read('a.safetensors'))).toBe(true)
})

test('what is mixed lies between what goes into it, by its weights', async () => {
  await embed('star.safetensors', '-p', 'a red star')
  await embed('photo.safetensors', '-p', '', '--mix', 'photo.png')
  const mixed = ['-p', 'a red star', '--prompt-weight', '0.7', '--mix']
  await embed('of-picture.safetensors', ...mixed, 'photo.png:0.3')
  await embed('of-embedding.safetensors', ...mixed, 'photo.safetensors:0.3')
  await embed('of-text.safetensors', ...mixed, 'a blue circle:0.3')
  const names = ['star', 'photo', 'of-picture', 'of-embedding', 'of-text'].map((name) => `${name}.safetensors`)
  const [star, photo, ofPicture, , ofText] = await cosines(...names)
  expect(star![0]).toBeCloseTo(1, 6)
  expect(star![2]).toBeGreaterThan(star![1]!)
  expect(photo![2]).toBeGreaterThan(photo![0]!)
  // An embedding of the picture alone is the picture's own.
  expect(ofPicture![3]).toBeCloseTo(1, 6)
  expect(ofText![0]).toBeLessThan(0.9999)
  expect((await run('compare', 'star.safetensors', 'photo.safetensors')).stdout).toMatch(/star\.safetensors +1\.0000/)
})

test('a prior and a decoder make a still of a text, and of an embedding without the prior', async () => {
  const made = await draw('text.png', '--prior', prior, '-p', 'a red star')
  expect(made.code, made.stderr).toBe(0)
  expect(await sharp(read('text.png')).metadata()).toMatchObject({ format: 'png', width: 32, height: 32 })
  expect(JSON.parse((await readRecipeFile(join(folder(), 'text.png')))!)).toMatchObject({
    pipeline: 'prior-to-image',
    settings: { prompt: 'a red star', image: null, mix: [] },
    models: { model: [{ name: 'kandinsky-decoder-ddpm' }], prior: [{ name: 'kandinsky-prior-2' }] },
  })
  await draw('blurred.png', '--prior', prior, '-p', 'a red star', '--negative-prompt', 'blurry')
  expect(await farthest('blurred.png', 'text.png')).toBeGreaterThan(2)

  for (const text of ['a red star', 'a blue circle']) await embed(`${text}.safetensors`, '-p', text)
  const kept = (out: string, text: string) => draw(out, '--prior', 'none', '-p', '', '--mix', `${text}.safetensors`)
  const fromKept = await kept('star.png', 'a red star')
  expect(fromKept.code, fromKept.stderr).toBe(0)
  await kept('again.png', 'a red star')
  await kept('circle.png', 'a blue circle')
  expect(await farthest('again.png', 'star.png')).toBe(0)
  expect(await farthest('circle.png', 'star.png')).toBeGreaterThan(2)
})

test('a picture is where it begins, as far as the strength says', async () => {
  const from = ['--prior', prior, '-p', 'a red star', '--image', 'photo.png']
  const options = ['--steps', '4', '--strength']
  expect(await draw('half.png', ...from, ...options, '0.5')).toMatchObject({ code: 0 })
  await draw('most.png', ...from, ...options, '0.9')
  expect(await farthest('half.png', 'most.png')).toBeGreaterThan(2)
  const none = await draw('none.png', ...from, ...options, '0.1')
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/strength 0.1 leaves none/) as string })
})

test('unCLIP makes a still by its three stages', async () => {
  const karlo = ['generate', '--pipeline', 'unclip', '--model', checkpoint('karlo'), '-p', 'a red star', '--seed', '7']
  const steps = ['--prior-steps', '2', '--steps', '2', '--super-res-steps', '2']
  const made = await run(...karlo, ...steps, '--out', 'a.png')
  expect(made.code, made.stderr).toBe(0)
  expect(await sharp(read('a.png')).metadata()).toMatchObject({ width: 32, height: 32 })
  await run(...karlo, ...steps, '--super-res-steps', '3', '--out', 'b.png')
  expect(await farthest('a.png', 'b.png')).toBeGreaterThan(2)
  expect(await run(...karlo, ...steps, '--size', '64x64', '--out', 'c.png')).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/pictures of 32 by 32 and no others/) as string,
  })
})

test('what cannot be is refused in words', async () => {
  const refused = async (ran: ReturnType<typeof run>): Promise<string> => {
    const { code, stderr } = await ran
    expect(code, stderr).not.toBe(0)
    return stderr
  }
  expect(await refused(draw('a.png', '--prior', 'none', '-p', 'a star'))).toContain('made an embedding by a prior')
  expect(await refused(draw('a.png', '--prior', prior, '-p', 'a star', '--size', '34x32'))).toContain('not a multiple')
  expect(await refused(embed('a.safetensors', '-p', '', '--mix', 'gone.png'))).toContain('there is no such file')
  writeFileSync(
    join(folder(), 'no.safetensors'),
    readFileSync(join(prior, 'prior/diffusion_pytorch_model.safetensors')),
  )
  const stranger = ['-p', '', '--mix', 'no.safetensors']
  expect(await refused(embed('a.safetensors', ...stranger))).toMatch(
    /no\.safetensors is no embedding: it holds a tensor/,
  )
  writeFileSync(join(folder(), 'cut.safetensors'), read('no.safetensors').subarray(0, 1000))
  expect(await refused(run('compare', 'cut.safetensors'))).toMatch(/cut\.safetensors is no embedding/)
  const wrongEnding = ['generate', '--pipeline', 'text-to-embedding', '-p', 'a', '--out', 'a.png']
  expect(await runHere(withoutEngine, wrongEnding)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/written as \.safetensors/) as string,
  })
})

test('the folders are listed for what they are', async () => {
  const listed = await run('models', '--models', checkpoint('.'), '--json')
  const all = JSON.parse(listed.stdout) as { name: string; kind: string; embeddingDim?: number; problem?: unknown }[]
  const of = (name: string) => all.find((model) => model.name === name)
  for (const [name, kind, embeddingDim] of [
    ['kandinsky-prior-2', 'prior', 20],
    ['kandinsky-decoder-ddpm', 'image-decoder', 20],
    ['karlo', 'unclip', undefined],
  ] as const) {
    expect(of(name), name).toMatchObject({ kind, ...(embeddingDim && { embeddingDim }) })
    expect(of(name)).not.toHaveProperty('problem')
  }
})
