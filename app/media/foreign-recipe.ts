import { fields } from '../contract/pipelines/fields.ts'
import { readComfy } from './foreign-comfy.ts'
import { isObject, jsonObject, plain, type ForeignNotes, type ForeignValues } from './foreign-notes.ts'
import { scheduleNamed, schedulerNamed } from './foreign-schedulers.ts'
import type { FileTexts } from './file-texts.ts'

export type ForeignRecipe = { program: string; values: ForeignValues; left: string[] }

/**
 * The recipe that another program left in a file. Formats: AUTOMATIC1111 webui, modules/infotext_utils.py, and what
 * took it over from there; ComfyUI, nodes.py (SaveImage) and nodes_images.py (SaveAnimatedWEBP); InvokeAI,
 * invokeai_metadata of 3.0 on. In videos and GIFs: sd-webui-animatediff, animatediff_output.py, and
 * ComfyUI-VideoHelperSuite, nodes.py (VideoCombine), whose comment holds both graphs.
 */
export function foreignRecipe(texts: FileTexts): ForeignRecipe | undefined {
  const exif = ['Make', 'Model', 'ImageDescription', 'UserComment', 'comment'].map((name) => texts.get(name) ?? '')
  const comment = jsonObject(texts.get('comment'))
  const after = (key: string): string | undefined =>
    texts.get(key) ?? textIn(comment?.[key]) ?? exif.find((text) => text.startsWith(`${key}:{`))?.slice(key.length + 1)
  const invoke = jsonObject(texts.get('invokeai_metadata'))
  if (invoke) return checked('InvokeAI', readInvoke(invoke))
  const comfy = readComfy(jsonObject(after('prompt')), jsonObject(after('workflow')))
  if (comfy) return checked('ComfyUI', comfy)
  const infotext = texts.get('parameters') ?? exif.find((text) => /(^|\n)Steps: \d/.test(text))
  const notes = infotext === undefined ? undefined : readInfotext(infotext)
  return notes && checked('AUTOMATIC1111', notes)
}

/** A graph stands there as JSON, or as a text of JSON. */
const textIn = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : isObject(value) ? JSON.stringify(value) : undefined

function checked(program: string, { values, left }: ForeignNotes): ForeignRecipe {
  const known: Record<string, unknown> = {}
  const refused: string[] = []
  for (const [name, value] of Object.entries(values)) {
    if (value === undefined) continue
    const parsed = fields[name as keyof ForeignValues].safeParse(value)
    if (parsed.success) known[name] = parsed.data
    else refused.push(`${name}: ${plain(value)}`)
  }
  return { program, values: known, left: [...refused, ...left].slice(0, mostLeft) }
}

const mostLeft = 40
const pair = /\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)/g

function readInfotext(text: string): ForeignNotes | undefined {
  const lines = text.trim().split('\n')
  const last = [...(lines.at(-1) ?? '').matchAll(pair)]
  // As there: a last line of fewer pairs is a part of the prompt.
  if (last.length < 3) return undefined
  const body = lines.slice(0, -1)
  const negativeAt = body.findIndex((line) => line.startsWith('Negative prompt:'))
  const [positive, negative] = negativeAt < 0 ? [body, []] : [body.slice(0, negativeAt), body.slice(negativeAt)]
  const values: ForeignNotes['values'] = {
    prompt: positive.join('\n').trim(),
    negativePrompt: negative.join('\n').replace('Negative prompt:', '').trim(),
  }
  const left: string[] = []
  const read: Readonly<Record<string, (value: string) => void>> = {
    Steps: (value) => (values.numInferenceSteps = Number(value)),
    'CFG scale': (value) => (values.guidanceScale = Number(value)),
    Seed: (value) => (values.seed = Number(value)),
    Size: (value) => ([values.width, values.height] = value.split('x').map(Number)),
    // There 1 is the whole encoder; here it is the layers that are left out.
    'Clip skip': (value) => (values.clipSkip = Number(value) > 1 ? Number(value) - 1 : null),
    Sampler: (value) => {
      const { scheduler, schedulerConfig, rest } = schedulerNamed(value)
      if (scheduler) values.scheduler = scheduler
      if (schedulerConfig) values.schedulerConfig = schedulerConfig
      if (rest) left.push(`Sampler: ${rest}`)
    },
    // It stands behind the sampler.
    'Schedule type': (value) => {
      const changes = scheduleNamed(value, values.scheduler as string | undefined)
      if (changes) values.schedulerConfig = changes
      else if (value !== 'Automatic') left.push(`Schedule type: ${value}`)
    },
  }
  for (const [, key = '', value = ''] of last) {
    const bare = value.replace(/^"(.*)"$/s, '$1').trim()
    if (read[key]) read[key](bare)
    else if (key !== 'Version') left.push(`${key}: ${bare}`)
  }
  return { values, left }
}

function readInvoke(recipe: Record<string, unknown>): ForeignNotes {
  const { positive_prompt, negative_prompt, width, height, seed, steps, cfg_scale, scheduler, clip_skip, ...rest } =
    recipe
  const sampler = typeof scheduler === 'string' ? schedulerNamed(scheduler) : undefined
  const left = Object.entries(rest)
    .filter(([name, value]) => !['app_version', 'generation_mode', 'rand_device'].includes(name) && says(value))
    .map(([name, value]) => `${name}: ${nameIn(value)}`)
  return {
    values: {
      prompt: positive_prompt,
      negativePrompt: negative_prompt ?? undefined,
      width,
      height,
      seed,
      numInferenceSteps: steps,
      guidanceScale: cfg_scale,
      scheduler: sampler?.scheduler,
      schedulerConfig: sampler?.schedulerConfig,
      clipSkip: clip_skip === 0 ? null : clip_skip,
    },
    left: [...(sampler?.rest ? [`scheduler: ${sampler.rest}`] : []), ...left],
  }
}

const says = (value: unknown): boolean =>
  value !== null && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0)

/** A model or a LoRA by its name, wherever in the value that stands. */
function nameIn(value: unknown): string {
  if (Array.isArray(value)) return value.map(nameIn).join(', ').slice(0, 120)
  if (!isObject(value)) return plain(value)
  const name = value['name'] ?? value['model_name'] ?? value['model'] ?? value['lora']
  return name === undefined ? plain(value) : nameIn(name)
}
