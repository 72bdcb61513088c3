import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { appRoot } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { folder, run, read, farthest } = useCli()
const model = join(appRoot(), 'e2e/goldens/pipelines/checkpoints/text-to-video-tiny')
const clip = (out: string, ...more: string[]) =>
  run(
    ...['generate', '--pipeline', 'text-to-video-sd', '--model', model, '--prompt', 'a red circle', '--out', out],
    ...['--size', '24x16', '--frames', '3', '--steps', '2', '--seed', '5', ...more],
  )

test('a folder of ModelScope makes a clip, whose recipe makes it again', async () => {
  const made = await clip('a.webp', '--json')
  expect(made.code, made.stderr).toBe(0)
  const recipe = recipeSchema.parse((JSON.parse(made.stdout) as { recipe: unknown }).recipe)
  expect(recipe).toMatchObject({
    pipeline: 'text-to-video-sd',
    settings: { numFrames: 3, width: 24, schedulerConfig: {} },
    models: { model: [{ name: 'text-to-video-tiny' }], loras: [] },
  })
  expect(recipe.settings).not.toHaveProperty('motionAdapter')
  expect(await sharp(read('a.webp'), { animated: true }).metadata()).toMatchObject({ pages: 3, width: 24 })
  await clip('b.webp')
  expect(await farthest('a.webp', 'b.webp')).toBe(0)
})

test('FreeU, LoRAs and changes of the schedule change it; processors, chunks and fused projections do not', async () => {
  await clip('plain.webp')
  const lora = join(folder(), 'night.safetensors')
  await writeTestLora(join(model, 'unet/diffusion_pytorch_model.safetensors'), lora)
  const differenceWith = async (...options: string[]): Promise<number> => {
    const made = await clip('other.webp', ...options)
    expect(made.code, made.stderr).toBe(0)
    return farthest('other.webp', 'plain.webp')
  }
  expect(await differenceWith('--freeu', 'SD 1.5')).toBeGreaterThan(2)
  expect(await differenceWith('--lora', lora)).toBeGreaterThan(2)
  expect(await differenceWith('--scheduler-config', 'timestep_spacing=trailing')).toBeGreaterThan(2)
  expect(await differenceWith('--attn', 'SlicedAttnProcessor:2')).toBeLessThanOrEqual(1)
  expect(await differenceWith('--chunking', '1,0')).toBeLessThanOrEqual(1)
  expect(await differenceWith('--fuse-qkv')).toBeLessThanOrEqual(1)
})

test('a clip becomes another one, as far as its strength says', async () => {
  await clip('first.webp')
  const from = ['--video', 'first.webp', '--steps', '4']
  const vary = (out: string, ...more: string[]) => clip(out, '--pipeline', 'video-to-video-sd', ...from, ...more)
  const made = await vary('half.webp', '--strength', '0.5', '--json')
  expect(made.code, made.stderr).toBe(0)
  const recipe = recipeSchema.parse((JSON.parse(made.stdout) as { recipe: unknown }).recipe)
  expect(recipe).toMatchObject({
    pipeline: 'video-to-video-sd',
    settings: { strength: 0.5, video: { name: 'first.webp' } },
  })
  expect(await vary('more.webp', '--strength', '1')).toMatchObject({ code: 0 })
  expect(await farthest('half.webp', 'more.webp')).toBeGreaterThan(2)
  const two = await vary('two.webp', '--strength', '0.5', '--frames', '2')
  expect(two.code, two.stderr).toBe(0)
  expect(await sharp(read('two.webp'), { animated: true }).metadata()).toMatchObject({ pages: 2 })

  expect((await vary('none.webp', '--strength', '0.1')).stderr).toContain('leaves none: use at least 0.25')
  const without = await clip('none.webp', '--pipeline', 'video-to-video-sd')
  expect(without).toMatchObject({ code: 2, stderr: expect.stringContaining('Choose a clip') as string })
})

test('its layers are listed with their processors, and one may have another', async () => {
  expect(await run('processors', '--model', model, '--out', 'map.json')).toMatchObject({ code: 0 })
  const map = JSON.parse(readFileSync(join(folder(), 'map.json'), 'utf8')) as Record<string, unknown>
  const temporal = 'down_blocks.0.temp_attentions.0.transformer_blocks.0.attn1.processor'
  expect(map[temporal]).toEqual({ processor: 'AttnProcessor2_0' })
  const sliced = { ...map, [temporal]: { processor: 'SlicedAttnProcessor', slice_size: 1 } }
  writeFileSync(join(folder(), 'map.json'), JSON.stringify(sliced))
  expect(await clip('a.webp', '--processors', 'map.json')).toMatchObject({ code: 0 })
})

test('it is listed for what it is, and refused where another kind of model is needed', async () => {
  const listed = await run('models', '--models', model, '--json')
  const all = JSON.parse(listed.stdout) as { id: string; kind: string; className: string; problem?: unknown }[]
  const entry = all.find(({ className }) => className === 'TextToVideoSDPipeline')
  expect(entry).toMatchObject({ kind: 'text-to-video-sd', needsMotionAdapter: false, scheduler: 'DDIMScheduler' })
  expect(entry).not.toHaveProperty('problem')
  const wrong = await run('generate', '--model', model, '--prompt', 'a', '--out', 'a.webp')
  expect(wrong.stderr).toContain('is a text-to-video model, not a Stable Diffusion model')
  const other = await run(
    ...['generate', '--pipeline', 'text-to-video-sd', '--prompt', 'a', '--out', 'a.webp'],
    ...['--model', 'moving-shapes'],
  )
  expect(other.stderr).toContain('is a Stable Diffusion model, not a text-to-video model')
  expect(readdirSync(folder())).not.toContain('a.webp')
})
