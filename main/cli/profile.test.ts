import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { modelProfileSchema, tuneReportSchema } from '#app/contract/profile.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import { recipeSchema } from '#app/contract/recipe.ts'
import { useCli } from './testing.ts'

const { folder, run, generate } = useCli()
const size = ['--size', '32x32', '--frames', '2'] as const

test('profile prints blocks and layers, of a pipeline and of one model, as a table and as JSON', async () => {
  const table = await run('profile', ...size)
  expect(table, table.stderr).toMatchObject({ code: 0 })
  expect(table.stdout).toMatch(/^UNetMotionModel, 2 x 2 frames of 32x32: /)
  expect(table.stdout).toMatch(/^BLOCK +TIME +SHARE +PEAK +OWN$/m)
  expect(table.stdout).toMatch(/^up_blocks\.1 +\d+\.\d ms +\d+\.\d % +\d+\.\d MB +\d+\.\d MB$/m)
  expect(table.stdout).toMatch(/^mid_block\.attentions\.0\.transformer_blocks\.0\.attn1 .* AttnProcessor2_0$/m)

  writeFileSync(join(folder(), 'map.json'), JSON.stringify({ processor: 'SlicedAttnProcessor', slice_size: 4 }))
  const made = await run('profile', ...size, '--processors', 'map.json', '--chunking', '4', '--json')
  expect(made.code, made.stderr).toBe(0)
  const { settings, layers } = modelProfileSchema.parse(JSON.parse(made.stdout))
  expect(settings).toMatchObject({ batch: 2, forwardChunking: { chunkSize: 4, dim: 0 } })
  expect(
    layers.every(({ kind, processor }) => kind === 'feed-forward' || processor?.processor === 'SlicedAttnProcessor'),
  ).toBe(true)

  const checkpoints = join(import.meta.dirname, '../../e2e/goldens/checkpoints')
  const bare = await run('profile', join(checkpoints, 'temporal-default'), '--size', '64x64', '--frames', '4', '--json')
  expect(bare.code, bare.stderr).toBe(0)
  expect(modelProfileSchema.parse(JSON.parse(bare.stdout))).toMatchObject({
    className: 'TransformerTemporalModel',
    settings: { batch: 1 },
  })
  const wrong = await run('profile', join(checkpoints, 'vae'))
  expect(wrong).toMatchObject({ code: 1, stderr: expect.stringMatching(/AutoencoderKL/) as string })
})

test('autotune keeps a proposal, which generate then uses', async () => {
  const none = await generate('none.webp', '--size', '32x32', '--tuned')
  expect(none).toMatchObject({ code: 2, stderr: expect.stringMatching(/Run "frameloom autotune"/) as string })

  const tuned = await run(
    'autotune',
    ...size,
    '--within',
    '1GB',
    '--choose',
    'least memory',
    '--save',
    'map.json',
    '--json',
  )
  expect(tuned.code, tuned.stderr).toBe(0)
  const report = JSON.parse(tuned.stdout) as { kept: string }
  const { proposals, settings } = tuneReportSchema.parse(report)
  expect(settings.memoryBytes).toBe(1e9)
  expect(existsSync(join(folder(), 'map.json'))).toBe(true)
  const kept = proposals.find(({ name }) => name === report.kept)!
  expect(kept.measured.peakBytes).toBe(Math.min(...proposals.map(({ measured }) => measured.peakBytes)))

  const noted = await generate('noted.webp', '--size', '32x32')
  expect(noted).toMatchObject({ code: 0, stderr: expect.stringMatching(/--tuned uses it/) as string })
  const made = await generate('made.webp', '--size', '32x32', '--tuned', '--json')
  expect(made.code, made.stderr).toBe(0)
  const { recipe } = JSON.parse(made.stdout) as { recipe: unknown }
  const { attnProcessor, forwardChunking } = allFields(recipeSchema.parse(recipe).settings)
  expect({ attnProcessor, forwardChunking }).toEqual({
    attnProcessor: kept.attnProcessor,
    forwardChunking: kept.forwardChunking,
  })
})
