import { expect, test } from 'vitest'
import { createScheduler } from '#app/schedulers/create.ts'
import { changedConfig, readSchedulerConfig } from '#app/schedulers/config.ts'
import type { ModelEntry, ModelKind } from './models.ts'
import { allFields } from './pipelines/fields.ts'
import { isPreset, presetFor, presetOf, presets, withoutPreset, withPreset } from './presets.ts'

const entry = (kind: ModelKind, name: string, location = `/models/${name}`): ModelEntry => ({
  id: name,
  name,
  kind,
  className: kind,
  source: 'folder',
  location,
  bytes: 1,
  precision: 'float16',
  demo: false,
  needsMotionAdapter: kind === 'stable-diffusion',
  scheduler: 'PNDMScheduler',
})
const base = entry('stable-diffusion', 'base')

/** Names as they are published, the timesteps that are published or come of the published call, and the guidance. */
const published: [ModelKind, string, string, number[], number, number][] = [
  ['motion-adapter', 'animatediff_lightning_1step_diffusers', 'EulerDiscreteScheduler', [999], 1, 0],
  ['motion-adapter', 'animatediff_lightning_2step_comfyui', 'EulerDiscreteScheduler', [999, 499], 1, 0],
  ['motion-adapter', 'animatediff_lightning_4step_diffusers', 'EulerDiscreteScheduler', [999, 749, 499, 249], 1, 0],
  [
    'motion-adapter',
    'ByteDance/AnimateDiff-Lightning/animatediff_lightning_8step_comfyui',
    'EulerDiscreteScheduler',
    [999, 874, 749, 624, 499, 374, 249, 124],
    1,
    0,
  ],
  ['motion-adapter', 'wangfuyun/AnimateLCM', 'LCMScheduler', [999, 839, 679, 499, 339, 179], 2, 0],
  ['lora', 'latent-consistency/lcm-lora-sdv1-5', 'LCMScheduler', [999, 759, 499, 259], 1, 0],
  ['lora', 'lcm-lora-sdxl', 'LCMScheduler', [999, 759, 499, 259], 1, 0],
  ['lora', 'lcm-lora-ssd-1b', 'LCMScheduler', [999, 759, 499, 259], 1, 0],
  ['lora', 'Hyper-SD15-1step-lora', 'TCDScheduler', [999], 1, 1],
  ['lora', 'Hyper-SDXL-2steps-lora', 'DDIMScheduler', [999, 499], 1, 0],
  ['lora', 'Hyper-SDXL-4steps-lora', 'DDIMScheduler', [999, 749, 499, 249], 1, 0],
  ['lora', 'Hyper-SD15-8steps-lora', 'DDIMScheduler', [999, 874, 749, 624, 499, 374, 249, 124], 1, 0],
  ['lora', 'Hyper-SD15-8steps-CFG-lora', 'DDIMScheduler', [999, 874, 749, 624, 499, 374, 249, 124], 5, 0],
  ['lora', 'h1t/TCD-SDXL-LoRA', 'TCDScheduler', [999, 759, 499, 259], 1, 0.3],
  ['lora', 'sdxl_lightning_4step_lora', 'EulerDiscreteScheduler', [999, 749, 499, 249], 1, 0],
  ['stable-diffusion-xl', 'sdxl_lightning_2step', 'EulerDiscreteScheduler', [999, 499], 1, 0],
  ['stable-diffusion-xl', 'sdxl_lightning_1step_x0', 'EulerDiscreteScheduler', [999], 1, 0],
  ['stable-diffusion-xl', 'sd_xl_turbo_1.0_fp16', 'EulerAncestralDiscreteScheduler', [999], 1, 0],
  ['stable-diffusion', 'stabilityai/sd-turbo', 'EulerDiscreteScheduler', [999], 1, 0],
  ['pixart', 'PixArt-alpha/PixArt-LCM-XL-2-1024-MS', 'LCMScheduler', [999, 759, 499, 259], 1, 0],
  ['pixart', 'PixArt-alpha/PixArt-Alpha-DMD-XL-2-512x512', 'DDPMScheduler', [400], 1, 0],
]

/** Stable Diffusion 1.5's own scheduler_config.json. */
const own = readSchedulerConfig(
  JSON.stringify({
    _class_name: 'PNDMScheduler',
    beta_end: 0.012,
    beta_schedule: 'scaled_linear',
    beta_start: 0.00085,
    clip_sample: false,
    num_train_timesteps: 1000,
    set_alpha_to_one: false,
    skip_prk_steps: true,
    steps_offset: 1,
  }),
)

test.each(published)('%s %s is run as it was published', (kind, name, scheduler, timesteps, guidanceScale, eta) => {
  const weights = entry(kind, name)
  const models = [base, weights]
  const named = {
    lora: { model: base.id, loras: [{ id: name, scale: 1 }] },
    'motion-adapter': { model: base.id, motionAdapter: name },
  }[kind as string] ?? { model: name }
  const settings = withPreset(allFields({ ...named, schedulerConfig: { beta_schedule: 'linear' } }), models)
  expect(settings).toMatchObject({ scheduler, numInferenceSteps: timesteps.length, guidanceScale, eta })
  expect(settings.schedulerConfig.beta_schedule).toBe('linear')
  const made = createScheduler(changedConfig(own, settings.schedulerConfig), scheduler, timesteps.length, {
    eta,
    ...(settings.timesteps && { timesteps: settings.timesteps }),
  })
  expect([...made.timesteps].map(Math.round)).toEqual(timesteps)
  expect(isPreset(settings, models)).toBe(true)
  expect(isPreset({ ...settings, guidanceScale: 7.5 }, models)).toBe(false)
  expect(withoutPreset(settings, models)).toMatchObject({ scheduler: null, numInferenceSteps: 25, guidanceScale: 7.5 })
})

test('each record is reached by a published name, and other weights have none', () => {
  const reached = new Set(published.map(([kind, name]) => presetOf(entry(kind, name), [])))
  const others = presets.filter((preset) => !reached.has(preset)).map(({ title }) => title)
  expect(others.filter((title) => !/Hyper-SD with guidance, 12|SDXL-Lightning, [248]/.test(title))).toEqual([])
  for (const [kind, name] of [
    ['motion-adapter', 'mm_sd_v15_v2'],
    ['motion-adapter', 'AnimateLCM-I2V'],
    ['motion-adapter', 'animatediff_lightning_14step'],
    ['lora', 'AnimateLCM_sd15_t2v_lora'],
    ['lora', 'lightning_bolts'],
    ['stable-diffusion', 'turbo-cars'],
    ['stable-diffusion-xl', 'sd_xl_base_1.0'],
  ] as const)
    expect(presetOf(entry(kind, name), []), name).toBeUndefined()
})

test("AnimateLCM's adapter brings its LoRA at 0.8, of several the one in its folder, whatever that is called", () => {
  const lora = entry('lora', 'AnimateLCM_sd15_t2v_lora', '/models/fast/AnimateLCM_sd15_t2v_lora.safetensors')
  const other = entry('lora', 'animatelcm_lora_copy', '/elsewhere/animatelcm_lora_copy.safetensors')
  const adapter = entry('motion-adapter', 'fast', '/models/fast')
  const models = [base, other, adapter, lora]
  const plain = allFields({ model: base.id, motionAdapter: adapter.id, loras: [{ id: 'night', scale: 1 }] })
  expect(presetFor(plain, [base, other, adapter])).toBeUndefined()
  const settings = withPreset(plain, models)
  expect(settings.loras).toEqual([
    { id: 'night', scale: 1 },
    { id: lora.id, scale: 0.8 },
  ])
  expect(withPreset(settings, models)).toEqual(settings)
  expect(withoutPreset(settings, models).loras).toEqual([{ id: 'night', scale: 1 }])
})
