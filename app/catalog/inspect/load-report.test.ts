import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openWeightsFile } from '#app/checkpoints/open.ts'
import { goldens, temporaryFolder } from '#app/checkpoints/testing.ts'
import { writeWeights } from '#app/checkpoints/write.ts'
import type { LoadReport } from '#app/contract/load-report.ts'
import { bundledModelsDir } from '#main/paths.ts'
import { loadReport } from './load-report.ts'

async function inspect(path: string): Promise<LoadReport> {
  const steps = loadReport(path, async () => '')
  for (;;) {
    const { done, value } = await steps.next()
    if (done) return value
  }
}

test('folders of a published pipeline for other runtimes are none of its parts', async () => {
  const folder = join(await temporaryFolder(), 'sdxl')
  cpSync(join(bundledModelsDir(), 'moving-shapes'), folder, { recursive: true })
  mkdirSync(join(folder, 'vae_decoder'))
  writeFileSync(join(folder, 'vae_decoder/config.json'), '{"_class_name": "AutoencoderKL"}')
  writeFileSync(join(folder, 'vae_decoder/model.onnx'), 'onnx')
  const { parts, notes } = await inspect(folder)
  expect(parts.map(({ part, problem }) => [part, problem])).toEqual([
    ['text_encoder', undefined],
    ['unet', undefined],
    ['vae', undefined],
  ])
  expect(notes).toEqual(['vae_decoder: not of this pipeline, whose model_index.json does not name it'])
})

test("a repository of the hub's cache, and a folder around one file", async () => {
  const root = await temporaryFolder()
  const snapshot = join(root, 'models--me--lora/snapshots/abc')
  cpSync(join(goldens, 'checkpoints/lora/peft.safetensors'), join(snapshot, 'pytorch_lora_weights.safetensors'))
  expect((await inspect(join(root, 'models--me--lora'))).kind).toBe('LoRA, file')
  cpSync(join(goldens, 'checkpoints/lora/kohya.safetensors'), join(snapshot, 'another.safetensors'))
  await expect(inspect(join(root, 'models--me--lora'))).rejects.toThrow(
    /Give one of its files: another\.safetensors, pytorch_lora_weights\.safetensors\./,
  )
})

test('a training checkpoint tells that it holds more than motion', async () => {
  const file = join(await temporaryFolder(), 'checkpoint.safetensors')
  const of = async (name: string): Promise<Awaited<ReturnType<typeof openWeightsFile>>['weights']> =>
    (await openWeightsFile(join(bundledModelsDir(), name, 'diffusion_pytorch_model.safetensors'))).weights
  const [unet, motion] = [await of('moving-shapes/unet'), await of('moving-shapes-motion')]
  await writeWeights(
    file,
    [...unet.values(), ...motion.values()].map((weight) => ({ ...weight, name: `module.${weight.name}` })),
  )
  const { kind, parts, notes } = await inspect(file)
  expect([kind, parts.length]).toEqual(['Motion module, file', 1])
  expect(parts[0]).toMatchObject({ architecture: 'MotionAdapter', missing: [], wrong: [], unused: [] })
  expect(parts[0]).not.toHaveProperty('problem')
  expect(notes[0]).toMatch(new RegExp(`^${unet.size} weights beside the motion modules were not taken`))
})
