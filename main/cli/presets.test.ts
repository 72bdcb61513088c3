import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { renamed } from '#app/checkpoints/layouts/views.ts'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { prompt, useCli } from './testing.ts'

const { folder, run } = useCli()
const bundled = (name: string): string => join(bundledModelsDir(), name)

/** A models folder with a base of the user's own. */
function modelsFolder(): string {
  const models = join(folder(), 'models')
  mkdirSync(models)
  cpSync(bundled('moving-shapes'), join(models, 'base'), { recursive: true })
  return models
}

const clip = (models: string, ...more: string[]): string[] => [
  ...['generate', '--models', models, '--model', 'base', '--prompt', prompt, '--out', 'clip.webp', '--json'],
  ...more,
]

type Settings = Record<string, unknown>
async function settingsOf(...args: string[]): Promise<{ settings: Settings; stderr: string }> {
  const { code, stdout, stderr } = await run(...args)
  expect(code, stderr).toBe(0)
  const { recipe } = JSON.parse(stdout) as { recipe: { settings: Settings } }
  return { settings: recipe.settings, stderr }
}

/** Keys of motion modules as AnimateDiff's own files have them. */
const ofAnimateDiff = (key: string): string =>
  key
    .replace(/(\.motion_modules\.\d+\.)/, '$1temporal_transformer.')
    .replace(/\.attn([12])\./, (_, i) => `.attention_blocks.${Number(i) - 1}.`)
    .replace(/\.norm([12])\./, (_, i) => `.norms.${Number(i) - 1}.`)
    .replace('.norm3.', '.ff_norm.')

test.each(['diffusers', 'comfyui'])(
  'a bare Lightning file (%s) is run as published, no option typed',
  async (layout) => {
    const models = modelsFolder()
    const name = `animatediff_lightning_4step_${layout}`
    const { weights } = await openCheckpoint(bundled('moving-shapes-motion'))
    const keyOf = layout === 'comfyui' ? ofAnimateDiff : (key: string): string => key
    await writeWeights(
      join(models, `${name}.safetensors`),
      [...weights].map(([key, weight]) => renamed(weight, keyOf(key))),
    )
    const listed = await run('models', '--models', models)
    expect(listed.stdout).toMatch(new RegExp(`${name}.*AnimateDiff-Lightning, 4 steps`))

    const { settings, stderr } = await settingsOf(...clip(models))
    expect(stderr).toMatch(/AnimateDiff-Lightning, 4 steps, as published at .*--preset off/)
    expect(settings).toMatchObject({
      motionAdapter: expect.stringContaining(name) as string,
      scheduler: 'EulerDiscreteScheduler',
      schedulerConfig: { timestep_spacing: 'trailing', beta_schedule: 'linear' },
      numInferenceSteps: 4,
      guidanceScale: 1,
    })
    const refused = await settingsOf(...clip(models, '--preset', 'off', '--steps', '2', '--frames', '2'))
    expect(refused.settings).toMatchObject({ scheduler: null, guidanceScale: 7.5 })
    expect(refused.stderr).not.toContain('as published')
    const typed = await settingsOf(...clip(models, '--steps', '2', '--scheduler', 'LCMScheduler', '--frames', '2'))
    expect(typed.settings).toMatchObject({
      scheduler: 'LCMScheduler',
      schedulerConfig: { beta_schedule: 'linear' },
      numInferenceSteps: 2,
      guidanceScale: 1,
    })
  },
)

test("AnimateLCM's folder is run with its LoRA at 0.8, beside one that is asked for", async () => {
  const models = modelsFolder()
  const repository = join(models, 'AnimateLCM')
  cpSync(bundled('moving-shapes-motion'), repository, { recursive: true })
  const unet = join(models, 'base/unet/diffusion_pytorch_model.safetensors')
  await writeTestLora(unet, join(repository, 'AnimateLCM_sd15_t2v_lora.safetensors'), 0.1)
  await writeTestLora(unet, join(models, 'night.safetensors'), 0.1)
  const { settings } = await settingsOf(...clip(models))
  const lcm = { id: expect.stringContaining('AnimateLCM_sd15_t2v_lora') as string, scale: 0.8 }
  expect(settings).toMatchObject({
    motionAdapter: expect.stringContaining('AnimateLCM') as string,
    scheduler: 'LCMScheduler',
    schedulerConfig: { beta_schedule: 'linear' },
    numInferenceSteps: 6,
    guidanceScale: 2,
    loras: [lcm],
  })
  const both = await settingsOf(...clip(models, '--lora', 'night:0.5', '--steps', '2', '--frames', '2'))
  expect(both.settings.loras).toMatchObject([{ scale: 0.5 }, lcm])
})
