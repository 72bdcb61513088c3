import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { renamed } from '#app/checkpoints/layouts/views.ts'
import { goldens } from '#app/checkpoints/testing.ts'
import { writeTestLora } from '#app/checkpoints/test-trained.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import { presets } from '#app/contract/presets.ts'
import { appRoot, bundledModelsDir, userModelsDir } from '#main/paths.ts'
import { useCli } from './testing.ts'

const { run, read } = useCli()
const bundled = (name: string): string => join(bundledModelsDir(), name)
const page = readFileSync(join(appRoot(), 'docs/recipes/few-steps.md'), 'utf8')

test('the page names every preset', () => {
  expect(presets.map(({ title }) => title).filter((title) => !page.includes(title))).toEqual([])
})

/** Weights of these names as they are published, made for the bundled model. */
async function fillModelsFolder(): Promise<void> {
  const models = userModelsDir()
  mkdirSync(models, { recursive: true })
  cpSync(
    bundled('moving-shapes-motion/diffusion_pytorch_model.safetensors'),
    join(models, 'animatediff_lightning_4step_diffusers.safetensors'),
  )
  cpSync(bundled('moving-shapes-motion'), join(models, 'AnimateLCM'), { recursive: true })
  const unet = bundled('moving-shapes/unet/diffusion_pytorch_model.safetensors')
  mkdirSync(join(models, 'TCD-SD15-LoRA'))
  for (const [i, file] of [
    'AnimateLCM/AnimateLCM_sd15_t2v_lora.safetensors',
    'lcm-lora-sdv1-5.safetensors',
    'Hyper-SD15-1step-lora.safetensors',
    'TCD-SD15-LoRA/pytorch_lora_weights.safetensors',
  ].entries())
    await writeTestLora(unet, join(models, file), 0.1 * (i + 1))
  const { weights } = await openCheckpoint(join(goldens, 'checkpoints/autoencoder-tiny-taesd'))
  const decoder = [...weights].flatMap(([key, weight]) => {
    const [, at, rest] = /^decoder\.layers\.(\d+)\.(.*)$/.exec(key) ?? []
    return at === undefined ? [] : [renamed(weight, `${Number(at) + 1}.${rest}`)]
  })
  await writeWeights(join(models, 'tiny_decoder.safetensors'), decoder)
}

test('each command makes a picture of its own by its preset', async () => {
  await fillModelsFolder()
  const commands = page.split('\n').flatMap((line) => (line.startsWith('    frameloom ') ? [line.trim()] : []))
  const made = new Set<string>()
  for (const command of commands) {
    const [, ...args] = command.match(/(?:"[^"]*"|[^\s"])+/g)!.map((word) => word.replaceAll('"', ''))
    const { code, stderr } = await run(...args, '--seed', '5')
    expect(code, stderr).toBe(0)
    expect(stderr).toContain('as published at')
    made.add(read(args[args.indexOf('--out') + 1]!).toString('base64'))
  }
  expect(made.size).toBe(6)
})
