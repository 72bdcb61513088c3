import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { writeSafetensors } from '#app/checkpoints/write.ts'
import type { LocatedModel } from '#app/contract/engine.ts'
import { loadReportSchema, type LoadReport } from '#app/contract/load-report.ts'
import { textToVideo } from '../text-to-video.ts'
import { float32, int64, type Tensor } from '#app/tensor/tensor.ts'
import type { CallContext } from '#app/engine/call.ts'
import { scanModels } from '#app/engine/handlers/scan-models.ts'
import { loadReport } from '#app/catalog/inspect/load-report.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { createWeightHashes } from '#app/catalog/weight-hashes.ts'
import { openTextToVideo } from './text-to-video.ts'

const files = join(import.meta.dirname, '../../../e2e/goldens/checkpoints')
const single = join(files, 'single-file')

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'frameloom-single-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

/** A byte-level vocabulary of any size: the tokens beyond the bytes are never made. */
function writeTokenizer(folder: string, size: number): void {
  const bytes = [...Array(256).keys()].map((byte) =>
    String.fromCharCode((byte > 32 && byte < 127) || (byte > 160 && byte !== 173) ? byte : 256 + byte),
  )
  const tokens = [...bytes, ...bytes.map((byte) => `${byte}</w>`)].slice(0, size - 2)
  while (tokens.length < size - 2) tokens.push(`unused-${tokens.length}`)
  tokens.push('<|startoftext|>', '<|endoftext|>')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'vocab.json'), JSON.stringify(Object.fromEntries(tokens.map((token, i) => [token, i]))))
  writeFileSync(join(folder, 'merges.txt'), '#version: 0.2\n')
}

const context: CallContext = {
  signal: new AbortController().signal,
  checkCancelled() {},
  stage() {},
  controls: () => undefined,
}
const scan = async (folder: string): Promise<LocatedModel[]> =>
  (await scanModels({ roots: [{ folder, source: 'folder' }] }, context)).models

const filled = (shape: readonly number[]): Tensor =>
  float32(
    shape,
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i + 1)),
  )

const options = { forwardChunking: null, scheduler: null, eta: 0 }

test('a single file and a file of motion modules make a clip, with a tokenizer beside them', async () => {
  const folder = temporary()
  const file = join(folder, 'sd15-tiny.safetensors')
  cpSync(join(single, 'sd15-tiny.safetensors'), file)
  const motion = join(single, 'mm_tiny_v15_v2.safetensors')
  const sessions = new SessionCache()
  await expect(openTextToVideo(sessions, file, motion, options)).rejects.toThrow(
    /single file, and those carry no tokenizer\. Put vocab\.json and merges\.txt .* 1000 tokens/,
  )
  writeTokenizer(join(folder, 'tokenizer'), 1000)
  const { parts, loras } = await openTextToVideo(sessions, file, motion, options)
  const request = {
    prompt: 'a red circle',
    negativePrompt: '',
    width: 64,
    height: 64,
    numFrames: 2,
    numInferenceSteps: 2,
    guidanceScale: 4,
    seed: 3,
    clipSkip: null,
  }
  const frames: Tensor[] = []
  for await (const event of textToVideo(parts, request, () => null))
    if (event.type === 'frame') frames.push(event.image)
  expect(frames.map(({ shape }) => shape)).toEqual([
    [1, 3, 64, 64],
    [1, 3, 64, 64],
  ])
  expect(frames.every(({ data }) => (data as Float32Array).every(Number.isFinite))).toBe(true)

  const lora = join(files, 'lora/peft.safetensors')
  await expect(loras.load(lora, { name: 'a' })).rejects.toThrow(/none of this LoRA's|made for another model/)
  expect(() => loras.setScale('a', 1)).toThrow(/no LoRA "a"/)
})

test('a LoRA goes to the denoiser and the text encoder at once', async () => {
  const base = join(import.meta.dirname, '../../../resources/demo-models/moving-shapes')
  const { parts, loras } = await openTextToVideo(new SessionCache(), base, `${base}-motion`, options)
  await expect(loras.load(join(files, 'lora/te-kohya.safetensors'), { name: 't' })).rejects.toThrow(/made for another/)
  expect(() => loras.unload('t')).toThrow(/no LoRA "t"/)

  const { weights } = await openCheckpoint(join(base, 'text_encoder'))
  const layer = [...weights.keys()].find((key) => key.endsWith('layers.0.self_attn.q_proj.weight'))!
  const unet = (await openCheckpoint(join(base, 'unet'))).weights.get('mid_block.resnets.0.conv1.weight')!
  const pair = (name: string, [out, input, ...kernel]: readonly number[]): [string, Tensor][] => [
    [`${name}.lora_down.weight`, filled([2, input!, ...kernel])],
    [`${name}.lora_up.weight`, filled([out!, 2, ...kernel.map(() => 1)])],
  ]
  const file = join(temporary(), 'both.safetensors')
  await writeSafetensors(
    file,
    Object.fromEntries([
      ...pair('lora_unet_mid_block_resnets_0_conv1', unet.shape),
      ...pair('lora_te_text_model_encoder_layers_0_self_attn_q_proj', weights.get(layer)!.shape),
      ...pair('lora_unet_somewhere_else', [4, 4]),
    ]),
  )
  const ids = int64([1, 77], new Array<number>(77).fill(3))
  const noise = filled([1, 4, 1, 16, 16]) as Tensor<'float32'>
  const run = async (): Promise<number[]> => {
    const states = await parts.encodeText(ids, 0)
    const predicted = await parts.denoise({
      sample: noise,
      timestep: float32([1], [10]),
      encoderHiddenStates: filled(states.shape) as Tensor<'float32'>,
      freeu: null,
      step: 0,
      totalSteps: 1,
    })
    return [states, predicted].map(({ data }) => data.reduce((sum, value) => sum + Math.abs(value), 0))
  }
  const plain = await run()
  expect(await loras.load(file, { name: 'both', scale: 1 })).toEqual({
    applied: { denoiser: 1, text_encoder: 1 },
    unused: ['denoiser.somewhere_else'],
  })
  const changed = await run()
  expect(changed[0]).not.toBeCloseTo(plain[0]!, 3)
  expect(changed[1]).not.toBeCloseTo(plain[1]!, 3)
  loras.setScale('both', 0)
  expect((await run()).map((sum, i) => sum - plain[i]!).every((apart) => Math.abs(apart) < 1e-2)).toBe(true)
  loras.unload('both')
  expect(await run()).toEqual(plain)
})

test('the scan finds single files, motion modules and LoRAs, and a tokenizer for them', async () => {
  const folder = temporary()
  cpSync(single, join(folder, 'loose'), { recursive: true })
  cpSync(join(files, 'lora/peft.safetensors'), join(folder, 'loose/lora.safetensors'))
  writeFileSync(join(folder, 'loose/cut.ckpt'), '')
  symlinkSync(join(folder, 'loose/sd15-tiny.safetensors'), join(folder, 'loose/twin.safetensors'))
  const alone = await scan(folder)
  expect(alone.map(({ name, kind, problem }) => [name, kind, problem?.code])).toEqual([
    ['cut', 'stable-diffusion', 'bad-model'],
    ['lora', 'lora', undefined],
    ['mm_tiny_v15_v2', 'motion-adapter', undefined],
    ['sd15-tiny', 'stable-diffusion', 'bad-model'],
    ['sd2-tiny', 'stable-diffusion', 'bad-model'],
    ['xl-tiny', 'stable-diffusion-xl', 'bad-model'],
  ])
  expect(alone[3]!.problem!.message).toMatch(/Put vocab.json and merges.txt/)
  expect(alone[4]!.problem!.message).toMatch(/holds no autoencoder/)
  expect(alone[5]!.problem!.message).toMatch(/holds no autoencoder/)

  const other = join(folder, 'pipeline')
  cpSync(join(import.meta.dirname, '../../../resources/demo-models/moving-shapes'), other, { recursive: true })
  writeTokenizer(join(other, 'tokenizer'), 1000)
  const models = await scan(folder)
  const found = models.find(({ name }) => name === 'sd15-tiny')!
  expect(found).toMatchObject({
    folder: join(folder, 'loose/sd15-tiny.safetensors'),
    tokenizerFolder: join(other, 'tokenizer'),
    className: 'StableDiffusionPipeline',
    precision: 'float16',
    needsMotionAdapter: true,
    blockOutChannels: [32, 32, 32, 32],
    sizeMultiple: 8,
    nativeSize: 512,
  })
  expect(found.problem).toBeUndefined()
  expect(models.find(({ kind }) => kind === 'motion-adapter')).toMatchObject({
    className: 'MotionAdapter',
    blockOutChannels: [32, 32, 32, 32],
    numFrames: 32,
  })
  const byFile = await scan(found.folder)
  expect(byFile.map(({ name }) => name)).toEqual(['sd15-tiny'])

  const { sha256 } = await createWeightHashes().referenceOf(found, context.signal)
  expect(Object.keys(sha256)).toEqual(['sd15-tiny.safetensors'])
})

const report = async (path: string): Promise<LoadReport> => {
  const running = loadReport(path, () => Promise.resolve('0'.repeat(64)))
  for (;;) {
    const { done, value } = await running.next()
    if (done) return loadReportSchema.parse(value)
  }
}

test('the load report of a single file, a motion module, a LoRA and folders', async () => {
  const checkpoint = await report(join(single, 'sd15-tiny.safetensors'))
  expect(checkpoint.kind).toBe('Stable Diffusion 1.x, single file')
  expect(
    checkpoint.parts.map(({ part, architecture, precision, parameters, missing, wrong, unused, problem }) => [
      [part, architecture, precision, parameters],
      [...missing, ...wrong, ...unused, problem],
    ]),
  ).toEqual([
    [['unet', 'UNet2DConditionModel', 'float16', 1103076], [undefined]],
    [['vae', 'AutoencoderKL', 'float16', 516519], [undefined]],
    [['text_encoder', 'CLIPTextModel', 'float16', 89712], [undefined]],
  ])
  expect(checkpoint.unused.toSorted()).toEqual(['alphas_cumprod', 'model_ema.num_updates'])
  expect(checkpoint.files).toMatchObject([{ bytes: 3543398 }])
  const xl = await report(join(single, 'xl-tiny.safetensors'))
  expect(xl.parts.map(({ missing, unused, problem }) => [missing, unused, problem])).toEqual(
    xl.parts.map(() => [[], [], undefined]),
  )
  expect((await report(join(single, 'mm_tiny_v15_v2.safetensors'))).parts).toMatchObject([
    { architecture: 'MotionAdapter', missing: [], unused: [], wrong: [] },
  ])
  expect((await report(join(files, 'lora/motion.safetensors'))).notes).toEqual([
    'LoRA',
    '88 layers of the denoiser',
    'rank 3',
  ])
  const pipeline = await report(join(import.meta.dirname, '../../../resources/demo-models/moving-shapes'))
  expect(pipeline.parts.map(({ part, missing, unused }) => [part, missing, unused])).toEqual([
    ['text_encoder', [], []],
    ['unet', [], []],
    ['vae', [], []],
  ])
})

test('what is missing, of another shape and unused is listed, not thrown', async () => {
  const folder = join(temporary(), 'adapter')
  cpSync(join(files, 'motion-adapter-a'), folder, { recursive: true })
  const config = join(folder, 'config.json')
  writeFileSync(
    config,
    JSON.stringify({
      _class_name: 'MotionAdapter',
      block_out_channels: [16, 48],
      motion_norm_num_groups: 8,
      motion_num_attention_heads: 2,
      motion_max_seq_length: 24,
      motion_layers_per_block: 1,
    }),
  )
  const { parts } = await report(folder)
  expect(parts[0]!.wrong[0]).toMatch(/has shape .* where the config asks for/)
  expect(parts[0]!.unused.some((key) => key.startsWith('down_blocks.0.motion_modules.1.'))).toBe(true)
  expect(parts[0]!.missing).toEqual([])
  writeFileSync(config, JSON.stringify({ _class_name: 'SomethingElse' }))
  expect((await report(folder)).parts[0]!.problem!.message).toMatch(/SomethingElse is no model that is run here/)
})
