import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { archiveBytes, text, viewOps, type TestArchive } from '#app/checkpoints/test-pickle.ts'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import type { Recipe } from '#app/contract/recipe.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { folder, run, farthest } = useCli()
const make = async (prompt: string, out: string, ...more: string[]): Promise<Recipe> => {
  const made = await run(
    ...['generate', '--pipeline', 'text-to-image', '--out', out, '--steps', '2', '--seed', '5', '--json'],
    ...['--models', '.', '--prompt', prompt, ...more],
  )
  expect(made.code, made.stderr).toBe(0)
  return (JSON.parse(made.stdout) as { recipe: Recipe }).recipe
}
const at = (...path: string[]): string => join(folder(), ...path)
const demo = (...path: string[]): string => join(bundledModelsDir(), 'moving-shapes', ...path)

const width = 64
const vectors = Float32Array.from({ length: 2 * width }, (_, i) => Math.sin(i * 12.9898))

/** As A1111 saves an embedding: a dict of dicts, with its name beside it. */
function a1111Embedding(name: string): Buffer {
  const archive: TestArchive = {
    inside: false,
    storages: [{ dtype: 'float32', elements: vectors.length, bytes: new Uint8Array(vectors.buffer) }],
    views: [{ name: '*', storage: 0, start: 0, shape: [2, width], strides: [width, 1], as: 'v2' }],
  }
  const inner = ['}', text('*'), ...viewOps(archive, archive.views[0]!), 's']
  return archiveBytes(archive, [
    ...['\x80\x02', '}', text('string_to_param'), ...inner, 's'],
    ...[text('name'), text(name), 's', '.'],
  ])
}

test('textual inversions of both programs make the same of their words', async () => {
  await writeSafetensors(at('learned_embeds.safetensors'), { '<cat-toy>': float32([2, width], vectors) })
  writeFileSync(at('my-neg.pt'), a1111Embedding('my-neg'))
  const recipe = await make('a <cat-toy> moving left', 'a.webp')
  expect(recipe.settings).toHaveProperty('embeddings.length', 1)
  expect(recipe.models.embeddings).toMatchObject([{ name: 'learned_embeds' }])
  await make('a my-neg moving left', 'b.webp')
  await make('a embedding:my-neg moving left', 'c.webp')
  await make('a EMBEDDING:learned_embeds moving left', 'd.webp')
  for (const same of ['b.webp', 'c.webp', 'd.webp']) expect(await farthest('a.webp', same)).toBe(0)

  await make('a <cat-toy> moving left', 'plain.webp', '--prompt-syntax', 'plain')
  expect(await farthest('a.webp', 'plain.webp')).toBeGreaterThan(2)
  await make('a <cat-toy> moving left', 'named.webp', '--prompt-syntax', 'plain', '--embedding', 'learned_embeds')
  expect(await farthest('a.webp', 'named.webp')).toBe(0)

  await writeSafetensors(at('wide.safetensors'), { emb_params: float32([1, 768], new Float32Array(768)) })
  const refused = await run(
    'generate',
    '--pipeline',
    'text-to-image',
    '--out',
    'e.webp',
    '--models',
    '.',
    '-p',
    'a wide',
  )
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/wide was made for Stable Diffusion 1/) as string,
  })
})

test('a LoRA that the prompt names is the one that --lora names, and its name is no word', async () => {
  await writeTestLora(demo('unet/diffusion_pytorch_model.safetensors'), at('night.safetensors'))
  const { settings } = await make('a red circle<lora:night:0.5>', 'a.webp')
  expect(settings).toMatchObject({ loras: [{ scale: 0.5 }] })
  await make('a red circle', 'b.webp', '--lora', 'night:0.5')
  await make('a red circle', 'none.webp')
  expect(await farthest('a.webp', 'b.webp')).toBe(0)
  expect(await farthest('a.webp', 'none.webp')).toBeGreaterThan(2)
  const unknown = await run('generate', '--out', 'c.webp', '--prompt', 'a <lora:nope:1> boat')
  expect(unknown).toMatchObject({ code: 2, stderr: expect.stringMatching(/names the LoRA “nope”, not here/) as string })
  const plain = await run(
    'generate',
    '--out',
    'd.webp',
    '-p',
    'a <lora:nope>',
    '--prompt-syntax',
    'plain',
    '--steps',
    '1',
  )
  expect(plain).toMatchObject({ code: 0, stderr: expect.stringMatching(/loads nothing here/) as string })
})

test('weights, BREAK, long prompts and changes from step to step each change the picture', async () => {
  const plain = 'a red circle moving left'
  await make(plain, 'plain.webp', '--prompt-syntax', 'plain')
  await make(plain, 'same.webp')
  expect(await farthest('plain.webp', 'same.webp')).toBe(0)
  for (const prompt of [
    'a (red circle:1.5) moving left',
    'a red circle BREAK moving left',
    `${plain}, ${'blue square, '.repeat(40)}`,
    'a [red|blue] circle moving left',
    'a red [circle:square:0.5] moving left',
  ]) {
    await make(prompt, 'other.webp')
    expect(await farthest('plain.webp', 'other.webp'), prompt).toBeGreaterThan(0)
  }
})

test('another autoencoder and text encoder take the place of the own ones, and are in the recipe', async () => {
  await make('a red circle', 'own.webp')
  cpSync(demo('vae'), at('other-vae'), { recursive: true })
  const { weights } = await openCheckpoint(demo('vae'))
  const changed = [...weights.values()].map(async (weight) => {
    const { shape, data } = toFloat32(await readWeight(weight))
    return [weight.name, float32(shape, weight.name === 'decoder.conv_out.bias' ? data.map((x) => x + 0.5) : data)]
  })
  await writeSafetensors(
    at('other-vae/diffusion_pytorch_model.safetensors'),
    Object.fromEntries(await Promise.all(changed)) as Parameters<typeof writeSafetensors>[1],
  )
  const recipe = await make('a red circle', 'vae.webp', '--vae', './other-vae')
  expect(recipe.models.vae).toMatchObject([
    { name: 'other-vae', sha256: { 'diffusion_pytorch_model.safetensors': expect.any(String) as string } },
  ])
  expect(await farthest('own.webp', 'vae.webp')).toBeGreaterThan(20)
  cpSync(demo('text_encoder'), at('same-encoder'), { recursive: true })
  await make('a red circle', 'text.webp', '--text-encoder', './same-encoder')
  expect(await farthest('own.webp', 'text.webp')).toBe(0)

  // One of Stable Diffusion 2.x.
  mkdirSync(at('wide-encoder'))
  writeFileSync(at('wide-encoder/config.json'), '{"architectures": ["CLIPTextModel"], "hidden_size": 1024}')
  await writeSafetensors(at('wide-encoder/model.safetensors'), { a: float32([1], [0]) })
  const refused = await run('generate', '--out', 'e.webp', '-p', 'a', '--text-encoder', './wide-encoder')
  expect(refused).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/reads prompts for Stable Diffusion 2/) as string,
  })
})
