import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parameterListsSchema } from '#app/contract/parameter-lists.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { openLibrary } from '#app/library/library.ts'
import { useCli } from './testing.ts'

const { folder, run, generate, read, farthest } = useCli()
const at = (name: string): string => join(import.meta.dirname, '../../e2e/goldens/checkpoints', name)

test('maps of processors are kept under names and used by them', async () => {
  const sliced = { processor: 'SlicedAttnProcessor', slice_size: 2 }
  writeFileSync(join(folder(), 'map.json'), JSON.stringify(sliced))
  expect(await run('processors', 'save', 'low memory', 'map.json')).toMatchObject({ code: 0, stderr: '' })
  const again = await run('processors', 'save', 'Low Memory', 'map.json')
  expect(again).toMatchObject({ code: 2, stderr: expect.stringMatching(/already/) as string })
  expect((await run('processors', 'save', 'low memory', 'map.json', '--replace')).code).toBe(0)
  expect((await run('processors', 'list')).stdout).toMatch(/low memory +SlicedAttnProcessor/)
  expect(JSON.parse((await run('processors', 'show', 'low memory')).stdout)).toEqual(sliced)
  const made = await generate('a.webp', '--processors', 'low memory', '--json')
  expect(made.code, made.stderr).toBe(0)
  const { recipe } = JSON.parse(made.stdout) as { recipe: unknown }
  expect(allFields(recipeSchema.parse(recipe).settings).attnProcessor).toEqual(sliced)
  expect((await run('processors', 'delete', 'low memory')).code).toBe(0)
  const gone = await generate('b.webp', '--processors', 'low memory')
  expect(gone).toMatchObject({ code: 2, stderr: expect.stringMatching(/no processor map "low memory"/) as string })
})

test('maps are read while the studio has the library open, and written after it', async () => {
  const plain = { processor: 'AttnProcessor' } as const
  writeFileSync(join(folder(), 'map.json'), JSON.stringify(plain))
  expect((await run('processors', 'list')).stdout).toBe('NAME  PROCESSORS  SAVED (UTC)\n')
  const library = await openLibrary({
    dataDir: join(folder(), 'data'),
    readRecipe: () => Promise.resolve(null),
    totalMemoryBytes: 2 ** 33,
  })
  try {
    library.processorMaps.save('plain', plain)
    expect((await run('processors', 'list')).stdout).toMatch(/plain +AttnProcessor/)
    library.processorMaps.save('plain', { processor: 'SlicedAttnProcessor', slice_size: 3 }, true)
    const shown = await run('processors', 'show', 'plain')
    expect(shown).toMatchObject({ code: 0, stderr: '' })
    expect(JSON.parse(shown.stdout)).toEqual({ processor: 'SlicedAttnProcessor', slice_size: 3 })
    expect((await generate('a.webp', '--processors', 'plain')).code).toBe(0)
    const refused = await run('processors', 'save', 'other', 'map.json')
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/Another Frameloom/) as string })
    library.processorMaps.save('still mine', plain)
  } finally {
    library.close()
  }
  expect((await run('processors', 'save', 'other', 'map.json')).code).toBe(0)
  expect((await run('processors', 'list')).stdout).toMatch(/other.*\n.*plain.*\n.*still mine/s)
})

test('Custom Diffusion weights and a LoRA as PyTorch saves them change the clip; fused projections do not', async () => {
  const file = at('demo-custom-diffusion/pytorch_custom_diffusion_weights.bin')
  await generate('a.webp')
  const made = await generate('b.webp', '--custom-diffusion', file, '--json')
  expect(made.code, made.stderr).toBe(0)
  const { settings, models } = recipeSchema.parse((JSON.parse(made.stdout) as { recipe: unknown }).recipe)
  const sha256 = createHash('sha256').update(readFileSync(file)).digest('hex')
  expect(models.customDiffusion).toMatchObject([{ sha256: { 'pytorch_custom_diffusion_weights.bin': sha256 } }])
  const weights = models.customDiffusion![0]!.id
  expect(allFields(settings).attnProcessor).toEqual({ processor: 'CustomDiffusionAttnProcessor2_0', weights })
  expect(weights).not.toContain('/')
  expect(await farthest('b.webp', 'a.webp')).toBeGreaterThan(8)
  await generate('c.webp', '--lora', at('demo-lora/pytorch_lora_weights.bin'))
  expect(await farthest('c.webp', 'a.webp')).toBeGreaterThan(8)
  expect((await generate('d.webp', '--fuse-qkv')).code).toBe(0)
  expect(await farthest('d.webp', 'a.webp')).toBeLessThanOrEqual(2)
  const both = await generate('e.webp', '--fuse-qkv', '--attn', 'AttnProcessor')
  expect(both).toMatchObject({ code: 2, stderr: expect.stringMatching(/Fused projections/) as string })
  const wrong = await generate('e.webp', '--custom-diffusion', 'moving-shapes')
  expect(wrong).toMatchObject({ code: 3, stderr: expect.stringMatching(/not a set of Custom Diffusion/) as string })
})

describe('motion', () => {
  test('save writes a MotionAdapter folder that makes the same clip, from a model, an adapter or an old file', async () => {
    expect(await run('motion', 'save', 'moving-shapes', 'saved')).toMatchObject({
      code: 0,
      stdout: 'saved\n',
      stderr: '',
    })
    await generate('a.webp')
    await generate('b.webp', '--motion-adapter', 'saved')
    expect(await farthest('b.webp', 'a.webp')).toBe(0)
    const full = await run('motion', 'save', 'moving-shapes', 'saved')
    expect(full).toMatchObject({ code: 2, stderr: expect.stringMatching(/new or empty/) as string })

    expect((await run('motion', 'save', 'moving-shapes-motion', 'copy')).code).toBe(0)
    for (const name of ['config.json', 'diffusion_pytorch_model.safetensors'])
      expect(read(`copy/${name}`).equals(read(`saved/${name}`)), name).toBe(true)
    const old = await run('motion', 'save', at('single-file/mm_tiny_v15_v2.safetensors'), 'converted')
    expect(old.code, old.stderr).toBe(0)
    expect(JSON.parse(read('converted/config.json').toString())).toMatchObject({
      _class_name: 'MotionAdapter',
      block_out_channels: [32, 32, 32, 32],
    })
    expect((await run('inspect', 'converted')).code).toBe(0)
  })

  test('freeze lists every weight once: the UNet stays, the motion modules may be trained', async () => {
    const { code, stdout } = await run('freeze', 'moving-shapes')
    expect(code).toBe(0)
    expect(stdout).toMatch(/frozen +208 +1\.00 M\ntrainable +182 +0\.44 M/)
    const lists = parameterListsSchema.parse(JSON.parse((await run('freeze', 'moving-shapes', '--json')).stdout))
    expect(lists.frozen).toHaveLength(208)
    expect(lists.trainable.every((name) => name.includes('.motion_modules.'))).toBe(true)
    expect(new Set([...lists.frozen, ...lists.trainable]).size).toBe(390)
    expect((await run('freeze', 'moving-shapes-motion')).code).toBe(3)
  })
})
