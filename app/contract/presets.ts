import type { ModelEntry, ModelKind } from './models.ts'
import { fieldDefaults, type Fields } from './pipelines/fields.ts'
import { forScheduler, type SchedulerChanges, type SchedulerClass } from './schedulers.ts'

/** What a preset sets: few steps are right only together with the rest. */
export type PresetSettings = Pick<Fields, 'numInferenceSteps' | 'guidanceScale'> &
  Partial<Pick<Fields, 'eta' | 'timesteps' | 'width' | 'height'>> & {
    /** Without it the checkpoint's own. */
    readonly scheduler?: SchedulerClass
    /** In the place of all that a run changes in it but the noise schedule of motion modules. */
    readonly schedulerConfig?: SchedulerChanges
  }

/** How weights of few steps are run, exactly as they were published. */
export type Preset = {
  readonly title: string
  /** Where it is published. */
  readonly source: string
  readonly kind: ModelKind
  /** What the name of such weights holds: of the file, of the folder, or of the repository. */
  readonly named: RegExp
  readonly notNamed?: RegExp
  readonly settings: PresetSettings
  /** The LoRA that belongs to it, and its scale; of several that which lies in the same folder. */
  readonly lora?: { readonly named: RegExp; readonly scale: number }
}

/** Every number of steps that these names say. */
const stepsIn = (
  counts: readonly number[],
  preset: (steps: number, pattern: string) => Omit<Preset, 'settings'> & { settings: Partial<PresetSettings> },
): Preset[] =>
  counts.map((steps) => {
    const { settings, ...rest } = preset(steps, `${steps}[-_ ]?steps?`)
    return { ...rest, settings: { numInferenceSteps: steps, guidanceScale: 1, ...settings } }
  })

const euler = { scheduler: 'EulerDiscreteScheduler', schedulerConfig: { timestep_spacing: 'trailing' } } as const
const lcm = { scheduler: 'LCMScheduler', schedulerConfig: {}, numInferenceSteps: 4, guidanceScale: 1 } as const
const hub = 'huggingface.co/'
const plural = (steps: number): string => (steps === 1 ? '1 step' : `${steps} steps`)

/** The first that fits counts. Guidance of 1 and of 0 are the same here: none. */
export const presets: readonly Preset[] = [
  ...stepsIn([1, 2, 4, 8], (steps, pattern) => ({
    title: `AnimateDiff-Lightning, ${plural(steps)}`,
    source: `${hub}ByteDance/AnimateDiff-Lightning`,
    kind: 'motion-adapter',
    named: new RegExp(`animatediff[-_ ]?lightning.*(?<!\\d)${pattern}`, 'i'),
    settings: { ...euler, schedulerConfig: { timestep_spacing: 'trailing', beta_schedule: 'linear' } },
  })),
  {
    title: 'AnimateLCM, 6 steps',
    source: `${hub}wangfuyun/AnimateLCM`,
    kind: 'motion-adapter',
    named: /animate[-_ ]?lcm/i,
    notNamed: /i2v|svd/i,
    settings: { ...lcm, schedulerConfig: { beta_schedule: 'linear' }, numInferenceSteps: 6, guidanceScale: 2 },
    lora: { named: /animate[-_ ]?lcm.*lora/i, scale: 0.8 },
  },
  {
    title: 'LCM-LoRA, 4 steps',
    source: `${hub}latent-consistency`,
    kind: 'lora',
    named: /lcm[-_ ]?lora/i,
    notNamed: /animate/i,
    settings: lcm,
  },
  ...stepsIn([8, 12], (steps, pattern) => ({
    title: `Hyper-SD with guidance, ${plural(steps)}`,
    source: `${hub}ByteDance/Hyper-SD`,
    kind: 'lora',
    named: new RegExp(`hyper[-_ ]?sd(?:15|xl).*(?<!\\d)${pattern}.*cfg`, 'i'),
    settings: { scheduler: 'DDIMScheduler', schedulerConfig: { timestep_spacing: 'trailing' }, guidanceScale: 5 },
  })),
  ...stepsIn([2, 4, 8], (steps, pattern) => ({
    title: `Hyper-SD, ${plural(steps)}`,
    source: `${hub}ByteDance/Hyper-SD`,
    kind: 'lora',
    named: new RegExp(`hyper[-_ ]?sd(?:15|xl).*(?<!\\d)${pattern}`, 'i'),
    settings: { scheduler: 'DDIMScheduler', schedulerConfig: { timestep_spacing: 'trailing' } },
  })),
  {
    title: 'Hyper-SD for 1 to 8 steps',
    source: `${hub}ByteDance/Hyper-SD`,
    kind: 'lora',
    named: /hyper[-_ ]?sd(?:15|xl).*(?<!\d)1[-_ ]?step/i,
    settings: { scheduler: 'TCDScheduler', schedulerConfig: {}, numInferenceSteps: 1, guidanceScale: 1, eta: 1 },
  },
  {
    title: 'TCD, 4 steps',
    source: `${hub}h1t/TCD-SDXL-LoRA`,
    kind: 'lora',
    named: /(?<![a-z])tcd[-_ ].*lora/i,
    settings: { scheduler: 'TCDScheduler', schedulerConfig: {}, numInferenceSteps: 4, guidanceScale: 1, eta: 0.3 },
  },
  ...(['lora', 'stable-diffusion-xl'] as const).flatMap((kind) =>
    stepsIn([2, 4, 8], (steps, pattern) => ({
      title: `SDXL-Lightning, ${plural(steps)}`,
      source: `${hub}ByteDance/SDXL-Lightning`,
      kind,
      named: new RegExp(`sdxl[-_ ]?lightning.*(?<!\\d)${pattern}`, 'i'),
      settings: euler,
    })),
  ),
  {
    title: 'SDXL-Lightning, 1 step',
    source: `${hub}ByteDance/SDXL-Lightning`,
    kind: 'stable-diffusion-xl',
    named: /sdxl[-_ ]?lightning.*(?<!\d)1[-_ ]?step/i,
    settings: {
      ...euler,
      schedulerConfig: { timestep_spacing: 'trailing', prediction_type: 'sample' },
      numInferenceSteps: 1,
      guidanceScale: 1,
    },
  },
  {
    title: 'SDXL-Turbo, 1 step',
    source: `${hub}stabilityai/sdxl-turbo`,
    kind: 'stable-diffusion-xl',
    named: /sd[-_ ]?xl[-_ ]?turbo/i,
    settings: {
      scheduler: 'EulerAncestralDiscreteScheduler',
      schedulerConfig: { timestep_spacing: 'trailing' },
      numInferenceSteps: 1,
      guidanceScale: 1,
      width: 512,
      height: 512,
    },
  },
  {
    title: 'SD-Turbo, 1 step',
    source: `${hub}stabilityai/sd-turbo`,
    kind: 'stable-diffusion',
    named: /(?<![a-z])sd[-_ ]?turbo/i,
    settings: { ...euler, numInferenceSteps: 1, guidanceScale: 1, width: 512, height: 512 },
  },
  {
    title: 'PixArt-LCM, 4 steps',
    source: `${hub}PixArt-alpha/PixArt-LCM-XL-2-1024-MS`,
    kind: 'pixart',
    named: /pixart.*lcm/i,
    settings: lcm,
  },
  {
    title: 'PixArt-DMD, 1 step',
    source: `${hub}PixArt-alpha/PixArt-Alpha-DMD-XL-2-512x512`,
    kind: 'pixart',
    named: /pixart.*dmd/i,
    settings: {
      scheduler: 'DDPMScheduler',
      schedulerConfig: {},
      timesteps: [400],
      numInferenceSteps: 1,
      guidanceScale: 1,
    },
  },
]

type Settings = Partial<Fields>

/** How these weights were published to be run; undefined where nothing is known of them. */
export const presetOf = (entry: ModelEntry, models: readonly ModelEntry[]): Preset | undefined =>
  presets.find(
    (preset) => preset.kind === entry.kind && (isNamed(preset, entry) || loraOf(preset, entry, models)?.isBeside),
  )

const isNamed = ({ named, notNamed }: Preset, { name }: ModelEntry): boolean =>
  named.test(name) && !notNamed?.test(name)

/** The LoRA that belongs to the weights of a preset, before all the one that lies in their folder. */
function loraOf(
  { lora }: Preset,
  { location }: ModelEntry,
  models: readonly ModelEntry[],
): { entry: ModelEntry; isBeside: boolean } | undefined {
  const found = models
    .filter(({ kind, name, problem }) => kind === 'lora' && !problem && lora?.named.test(name))
    .map((entry) => ({ entry, isBeside: [location, around(location)].includes(around(entry.location)) }))
  return found.find(({ isBeside }) => isBeside) ?? found[0]
}

const around = (path: string): string => path.replace(/[\\/][^\\/]*$/, '')

/** The preset of what settings name, and the weights that it is for: a LoRA's, the motion adapter's, or the model's. */
export function presetFor(
  { model, motionAdapter, loras = [] }: Settings,
  models: readonly ModelEntry[],
): { readonly preset: Preset; readonly entry: ModelEntry } | undefined {
  for (const id of [...loras.map((lora) => lora.id), motionAdapter, model]) {
    const entry = models.find((one) => one.id === id)
    const preset = entry && presetOf(entry, models)
    if (preset) return { preset, entry }
  }
  return undefined
}

/** What the preset of these settings changes in them; nothing where there is none. */
function changesOf(settings: Settings, models: readonly ModelEntry[]): Settings {
  const found = presetFor(settings, models)
  if (!found) return {}
  const { preset, entry } = found
  const { scheduler = null, schedulerConfig = {}, ...rest } = preset.settings
  const { beta_schedule: betas } = settings.schedulerConfig ?? {}
  const className = scheduler ?? models.find(({ id }) => id === settings.model)?.scheduler
  const lora = preset.lora && loraOf(preset, entry, models)?.entry
  const others = (settings.loras ?? []).filter(({ id }) => id !== lora?.id)
  const all: Settings = {
    eta: 0,
    timesteps: null,
    ...rest,
    scheduler,
    schedulerConfig: forScheduler({ ...(betas && { beta_schedule: betas }), ...schedulerConfig }, className),
    ...(preset.lora && lora && { loras: [...others, { id: lora.id, scale: preset.lora.scale }] }),
  }
  return Object.fromEntries(Object.entries(all).filter(([field]) => field in settings))
}

/** The settings as their weights were published to be run; what no preset says stays. */
export const withPreset = <S extends Settings>(settings: S, models: readonly ModelEntry[]): S => ({
  ...settings,
  ...changesOf(settings, models),
})

/** Whether the settings are as their preset has them; false where there is none. */
export function isPreset(settings: Settings, models: readonly ModelEntry[]): boolean {
  const changes = Object.entries(changesOf(settings, models))
  return (
    changes.length > 0 && changes.every(([field, value]) => sorted(settings[field as keyof Fields]) === sorted(value))
  )
}

/** As JSON, whatever the order of keys. */
const sorted = (value: unknown): string =>
  JSON.stringify(value, (_, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )

/** The settings without what their preset set, where it did: with the scheduler's and the guidance's usual values. */
export function withoutPreset<S extends Settings>(settings: S, models: readonly ModelEntry[]): S {
  if (!isPreset(settings, models)) return settings
  const { preset, entry } = presetFor(settings, models)!
  const lora = preset.lora && loraOf(preset, entry, models)?.entry.id
  const plain: Settings = {
    scheduler: null,
    schedulerConfig: {},
    eta: 0,
    timesteps: null,
    numInferenceSteps: fieldDefaults.numInferenceSteps,
    guidanceScale: fieldDefaults.guidanceScale,
    ...(settings.loras && { loras: settings.loras.filter(({ id }) => id !== lora) }),
  }
  return { ...settings, ...Object.fromEntries(Object.entries(plain).filter(([field]) => field in settings)) }
}
