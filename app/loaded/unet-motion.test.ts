import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { openLora } from '#app/checkpoints/lora/open-lora.ts'
import { readWeight } from '#app/checkpoints/read.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32 } from '#app/tensor/tensor.ts'
import { SessionCache } from '#app/runtime/session-cache.ts'
import { writeMotionAdapter } from './save-motion.ts'
import { openUNetMotion, type UNetMotion } from './unet-motion.ts'

const checkpoints = join(import.meta.dirname, '../../e2e/goldens/checkpoints')
const at = (name: string): string => join(checkpoints, name)

const inputs = {
  sample: float32(
    [1, 4, 2, 8, 8],
    Float32Array.from({ length: 512 }, (_, i) => Math.sin(i)),
  ),
  timestep: float32([1], [300]),
  encoder_hidden_states: float32(
    [1, 5, 24],
    Float32Array.from({ length: 120 }, (_, i) => Math.cos(i)),
  ),
}
const forward = async (unet: UNetMotion): Promise<Float32Array> =>
  toFloat32((await unet.run('forward', inputs)).sample).data
const apart = (a: Float32Array, b: Float32Array): number => Math.max(...a.map((value, i) => Math.abs(value - b[i]!)))

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'frameloom-motion-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
}

const bytesOf = async (name: string): Promise<number> => (await openCheckpoint(name)).summary.bytes

test('exchanging the motion modules maps the new ones only, and the base stays as it is', async () => {
  const sessions = new SessionCache()
  const unet = await openUNetMotion(sessions, at('unet2d-sd'), at('motion-adapter-a'))
  const before = await forward(unet)
  const base = sessions.stats().bytesMapped
  expect(base).toBeGreaterThan(1e6)

  const other = temporary()
  cpSync(at('motion-adapter-a'), other, { recursive: true })
  await unet.loadMotionModules(other)
  expect(apart(await forward(unet), before)).toBe(0)
  const exchanged = sessions.stats().bytesMapped - base
  expect(exchanged).toBe(await bytesOf(other))
  expect(exchanged).toBeLessThan(base)

  await unet.loadMotionModules(at('motion-adapter-a'))
  await forward(unet)
  expect(sessions.stats().bytesMapped).toBe(base + exchanged)
})

test('an adapter that differs from the modules in place is refused by its setting', async () => {
  const unet = await openUNetMotion(new SessionCache(), at('unet2d-sd'), at('motion-adapter-a'))
  const file = join(checkpoints, 'single-file/mm_tiny_v15_v2.safetensors')
  await expect(unet.loadMotionModules(file)).rejects.toThrow(/block_out_channels is \[32,32,32,32\]/)
})

test('freezing leaves the motion modules trainable, and every key is in one list', async () => {
  const unet = await openUNetMotion(new SessionCache(), at('unet2d-sd'), at('motion-adapter-a'))
  const { frozen, trainable } = unet.freezeUnet2dParams()
  const base = await openCheckpoint(at('unet2d-sd'))
  expect(new Set(frozen)).toEqual(new Set(base.weights.keys()))
  expect(trainable.length).toBeGreaterThan(100)
  expect(trainable.every((key) => key.includes('.motion_modules.') && !key.endsWith('.pe'))).toBe(true)
})

test('the saved motion modules open again and make the same frames', async () => {
  const sessions = new SessionCache()
  const folder = join(temporary(), 'saved')
  const unet = await openUNetMotion(sessions, at('unet2d-sd'), at('motion-adapter-a'))
  await unet.saveMotionModules(folder)
  const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>
  const written = JSON.parse(readFileSync(join(at('motion-adapter-a'), 'config.json'), 'utf8')) as typeof config
  delete written._diffusers_version
  expect(config).toEqual({ ...written, motion_layers_per_block: config.motion_layers_per_block })
  const again = await openUNetMotion(sessions, at('unet2d-sd'), folder)
  expect(apart(await forward(again), await forward(unet))).toBe(0)
})

test('modules in the original layout are saved with their tables of positions', async () => {
  const folder = join(temporary(), 'saved')
  const file = join(checkpoints, 'single-file/sd15-tiny.safetensors')
  const unet = await openUNetMotion(
    new SessionCache(),
    file,
    join(checkpoints, 'single-file/mm_tiny_v15_v2.safetensors'),
  )
  await unet.saveMotionModules(folder, { variant: 'fp16' })
  const { weights, variant } = await openCheckpoint(folder)
  expect(variant).toBe('fp16')
  const table = weights.get('mid_block.motion_modules.0.transformer_blocks.0.pos_embed.pe')!
  expect(table.shape).toEqual([1, 32, 32])
  const { data } = await readWeight(table)
  expect([data[0], data[1]]).toEqual([0, 1])
  expect(data[32]).toBeCloseTo(Math.sin(1), 6)
  await expect(unet.saveMotionModules(folder, { variant: '../x' })).rejects.toThrow(/plain word/)
})

test('motion modules that could not be opened again are not saved, and leave nothing behind', async () => {
  const folder = join(temporary(), 'saved')
  const { config, weights } = await openCheckpoint(at('motion-adapter-a'))
  const adapter = { ...config, motion_max_seq_length: 24 }
  await expect(writeMotionAdapter(folder, adapter, new Map())).rejects.toThrow(
    /make no whole MotionAdapter: there is no/,
  )
  const cut = new Map([...weights].filter(([key]) => !key.startsWith('up_blocks.1.')))
  await expect(writeMotionAdapter(folder, adapter, cut)).rejects.toThrow(/there is no weight "up_blocks\.1\./)
  // A write that fails half-way: the weights' file is gone when it is copied.
  const gone = new Map(
    [...weights].map(([key, weight]) => [key, { ...weight, source: { file: `${folder}.gone`, offset: 0, length: 4 } }]),
  )
  await expect(writeMotionAdapter(folder, adapter, gone)).rejects.toThrow(/gone/)
  expect(existsSync(folder)).toBe(false)
})

test('a LoRA slider compiles nothing and maps nothing, and 0 is the model without it', async () => {
  const sessions = new SessionCache()
  const unet = await openUNetMotion(sessions, at('unet2d-sd'), at('motion-adapter-a'))
  const plain = await forward(unet)
  const report = await unet.loadLora(join(checkpoints, 'lora/kohya.safetensors'), { name: 'style', scale: 1 })
  expect(report).toEqual({ name: 'style', applied: 48, unused: [] })
  const full = await forward(unet)
  const { compilations, bytesMapped } = sessions.stats()
  unet.setLoraScale('style', 0.5)
  const half = await forward(unet)
  unet.setLoraScale('style', 0)
  expect(apart(await forward(unet), plain)).toBeLessThan(1e-6)
  expect(sessions.stats()).toMatchObject({ compilations, bytesMapped })
  expect(apart(full, plain)).toBeGreaterThan(0.01)
  expect(apart(half, full)).toBeGreaterThan(0.01)

  const lora = await openLora(join(checkpoints, 'lora/kohya.safetensors'))
  await unet.loadLora(lora, { name: 'twin', scale: 0.5 })
  unet.setLoraScale('style', 0.5)
  expect(apart(await forward(unet), full)).toBeLessThan(1e-5)
  expect(unet.loraScales).toEqual({ style: 0.5, twin: 0.5 })
  unet.unloadLora('style')
  expect(apart(await forward(unet), half)).toBeLessThan(1e-5)
  unet.unloadLora()
  expect(apart(await forward(unet), plain)).toBe(0)
})

test('a LoRA is refused for a taken name, an unknown name, a scale that is no number and another model', async () => {
  const unet = await openUNetMotion(new SessionCache(), at('unet2d-sd'), at('motion-adapter-a'))
  const file = join(checkpoints, 'lora/peft.safetensors')
  await unet.loadLora(file, { name: 'a' })
  await expect(unet.loadLora(file, { name: 'a' })).rejects.toThrow(/"a" is in use/)
  await expect(unet.loadLora(file, { scale: NaN })).rejects.toThrow(/must be a number/)
  expect(() => unet.setLoraScale('b', 1)).toThrow(/no LoRA "b" is loaded; there are "a"/)
  await expect(unet.loadLora(join(checkpoints, 'lora/kohya-xl.safetensors'))).rejects.toThrow(/made for another model/)
  // A file without layers for this kind of model is no mistake: it may be for the text encoder alone.
  expect(await unet.loadLora(join(checkpoints, 'lora/te-kohya.safetensors'))).toMatchObject({ applied: 0 })
  expect(unet.loraScales).toEqual({ a: 1 })
})

test('a LoRA stays on layers whose query, key and value are one product', async () => {
  const unet = await openUNetMotion(new SessionCache(), at('unet2d-sd'), at('motion-adapter-a'))
  await unet.loadLora(join(checkpoints, 'lora/motion.safetensors'), { name: 'zoom' })
  await forward(unet)
  unet.fuseQkvProjections()
  const fused = await forward(unet)
  unet.unfuseQkvProjections()
  expect(apart(await forward(unet), fused)).toBeLessThan(1e-5)
})

test('forward chunking takes whole sizes, and 0 is one at a time', async () => {
  const unet = await openUNetMotion(new SessionCache(), at('unet2d-sd'), at('motion-adapter-a'))
  for (const size of [-1, 1.5]) expect(() => unet.enableForwardChunking(size)).toThrow(/chunk size/)
  unet.enableForwardChunking(0, 1)
  expect(unet.options.forwardChunking).toEqual({ chunkSize: 1, dim: 1 })
})
