import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { openCheckpoint, summarise, type Checkpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import { contentsOf } from '#app/checkpoints/layouts/contents.ts'
import { familyNames } from '#app/checkpoints/layouts/family.ts'
import { openControlNetFile } from '#app/checkpoints/layouts/controlnet.ts'
import { openIpAdapter } from '#app/checkpoints/layouts/ip-adapter.ts'
import { openMotionModule } from '#app/checkpoints/layouts/motion-module.ts'
import { openSingleFile, type SingleFile } from '#app/checkpoints/layouts/single-file.ts'
import { openLora } from '#app/checkpoints/lora/open-lora.ts'
import { loraSummary } from '#app/checkpoints/lora/summary.ts'
import { openVae } from '#app/checkpoints/open-part.ts'
import { openWeightsFile } from '#app/checkpoints/open.ts'
import type { Weights } from '#app/checkpoints/weights.ts'
import { ProblemError, toProblem } from '#app/contract/errors.ts'
import type { LoadReport, LoadReportPart } from '#app/contract/load-report.ts'
import { isFile } from '#app/checkpoints/open-model.ts'
import { modelIndexSchema } from '../scan/configs.ts'
import { classNameOf } from '#app/models/classes.ts'
import { isMotionKey } from '#app/models/motion-adapter.ts'
import { newestSnapshot, weightsFile } from '../scan/find-folders.ts'
import { auditOf } from './known-models.ts'

/** What is reported before the files are hashed. */
type Found = Omit<LoadReport, 'files' | 'path'> & { readonly files: readonly string[] }

/**
 * Opens a pipeline folder, a model folder, a single-file checkpoint, a file of motion modules or a LoRA, and tells what
 * was found and how weights and config agree. `hashOf` gives a file's SHA-256. Throws as the openers do when nothing
 * can be opened at all.
 */
export async function* loadReport(
  path: string,
  hashOf: (file: string) => Promise<string>,
): AsyncGenerator<{ type: 'stage'; stage: string; progress: number }, LoadReport> {
  yield { type: 'stage', stage: 'Reading what is there', progress: 0 }
  const { files: names, ...found } = await (isFile(path) ? fromFile(path) : fromFolder(path))
  const files: LoadReport['files'] = []
  const unique = [...new Set(names)]
  for (const [i, file] of unique.entries()) {
    yield { type: 'stage', stage: `Hashing ${basename(file)}`, progress: (i + 1) / (unique.length + 1) }
    files.push({ path: file, bytes: statSync(file).size, sha256: await hashOf(file) })
  }
  return { path, ...found, files }
}

async function fromFolder(folder: string): Promise<Found> {
  const names = listed(folder)
  if (!names.includes('model_index.json')) {
    if (!names.includes('config.json')) return fromUnmarked(folder, names)
    const checkpoint = await openCheckpoint(folder)
    const part = reportOf('', checkpoint)
    return { kind: part.architecture, parts: [part], unused: [], files: checkpoint.files, notes: notesOf(checkpoint) }
  }
  const index = modelIndexSchema.safeParse(await readJson(join(folder, 'model_index.json')))
  const parts: LoadReportPart[] = []
  const files: string[] = []
  const notes: string[] = []
  for (const name of names.sort()) {
    if (!statSync(join(folder, name)).isDirectory() || !listed(join(folder, name)).includes('config.json')) continue
    // Published pipelines also carry folders for other runtimes, such as SDXL's vae_decoder for ONNX.
    if (index.data && !Object.hasOwn(index.data, name)) {
      notes.push(`${name}: not of this pipeline, whose model_index.json does not name it`)
      continue
    }
    try {
      const checkpoint = await openCheckpoint(join(folder, name))
      parts.push(reportOf(name, checkpoint))
      files.push(...checkpoint.files)
      notes.push(...notesOf(checkpoint).map((note) => `${name}: ${note}`))
    } catch (error) {
      parts.push({ ...nothing, part: name, architecture: 'unknown', problem: toProblem(error) })
    }
  }
  return { kind: `${index.data?._class_name ?? 'unknown pipeline'}, folder`, parts, unused: [], files, notes }
}

/** A repository of the hub's cache, or a folder around one file. */
async function fromUnmarked(folder: string, names: readonly string[]): Promise<Found> {
  const snapshot = await newestSnapshot(folder)
  if (snapshot !== undefined) return fromFolder(snapshot)
  const files = names.filter((name) => weightsFile.test(name)).sort()
  if (files.length === 1) return fromFile(join(folder, files[0]!))
  const inside = files.length ? `Give one of its files: ${files.slice(0, 10).join(', ')}.` : 'No weights are in it.'
  throw new ProblemError('bad-model', `${folder} has no config.json, so it is no model folder. ${inside}`, {
    file: folder,
  })
}

async function fromFile(file: string): Promise<Found> {
  const { weights } = await openWeightsFile(file)
  const { kind, name } = contentsOf(weights)
  switch (kind) {
    case 'stable-diffusion':
      return fromSingleFile(await openSingleFile(file))
    case 'motion-module': {
      const checkpoint = await openMotionModule(file)
      const { config } = checkpoint
      const others = [...weights.keys()].filter((key) => !isMotionKey(key) && !key.includes('animatediff_config'))
      const notes = [
        ...(others.length
          ? [`${others.length} weights beside the motion modules were not taken: a UNet around them, or training state`]
          : []),
        `${config.use_motion_mid_block ? 'with' : 'without'} a module in the mid block, at most ${String(config.motion_max_seq_length)} frames`,
      ]
      return { kind: 'Motion module, file', parts: [reportOf('', checkpoint)], unused: [], files: [file], notes }
    }
    case 'vae': {
      const checkpoint = await openVae(file)
      const { files } = checkpoint
      return { kind: 'Autoencoder, file', parts: [reportOf('', checkpoint)], unused: [], files, notes: [] }
    }
    case 'lora':
      return fromLora(file, weights)
    case 'custom-diffusion':
      return fromCustomDiffusion(file, weights)
    case 'ip-adapter':
      return fromIpAdapter(file, weights)
    case 'controlnet': {
      const checkpoint = await openControlNetFile(file)
      const notes = ['config read off the shapes; what they do not tell is as in the published ones']
      return { kind: 'ControlNet, file', parts: [reportOf('', checkpoint)], unused: [], files: [file], notes }
    }
    default:
      throw new ProblemError('unsupported', `${file} holds ${name}, which cannot be used here.`, { file })
  }
}

function fromSingleFile(single: SingleFile): Found {
  const parts = Object.entries(single.parts).map(([name, checkpoint]) => reportOf(name, checkpoint))
  const absent = (['vae', 'text_encoder'] as const).filter((name) => !single.parts[name])
  return {
    kind: `${familyNames[single.family]}, single file`,
    parts,
    unused: [...single.unused],
    files: [single.file],
    notes: [
      `predicts ${single.predictionType === 'epsilon' ? 'noise (epsilon)' : 'velocity (v_prediction)'}`,
      'config read off the shapes; what they do not tell is as in the published models',
      ...absent.map((name) => `holds no ${name}`),
    ],
  }
}

async function fromLora(file: string, weights: Weights): Promise<Found> {
  const lora = await openLora(file)
  const counts = new Map<string, number>()
  for (const { part } of lora.layers) counts.set(part, (counts.get(part) ?? 0) + 1)
  const { kinds, ranks } = loraSummary(lora)
  const modules = [...counts].map(([part, count]) => `${count} layers of the ${part}`)
  return {
    kind: 'LoRA, file',
    parts: [{ ...nothing, ...numbersOf(weights), part: '', architecture: 'LoRA' }],
    unused: [],
    files: [file],
    notes: [kinds.join(', '), modules.join(', '), ...(ranks.length ? [`rank ${ranks.join(', ')}`] : [])],
  }
}

function fromCustomDiffusion(file: string, weights: Weights): Found {
  const layers = new Set([...weights.keys()].map((key) => key.replace(/\.processor\..*/, '')))
  return {
    kind: 'Custom Diffusion weights, file',
    parts: [{ ...nothing, ...numbersOf(weights), part: '', architecture: 'CustomDiffusion' }],
    unused: [],
    files: [file],
    notes: [`${layers.size} attention layers`],
  }
}

async function fromIpAdapter(file: string, weights: Weights): Promise<Found> {
  const { layers, takes, embedDim, crossAttentionDim } = await openIpAdapter(file)
  const taken = takes === 'image_embeds' ? 'projected embeddings' : 'hidden states'
  return {
    kind: 'IP-Adapter, file',
    parts: [{ ...nothing, ...numbersOf(weights), part: '', architecture: 'IPAdapter' }],
    unused: [],
    files: [file],
    notes: [
      `${layers.length} attention layers, for a UNet with cross_attention_dim ${crossAttentionDim}`,
      `takes an image encoder's ${taken}, ${embedDim} wide`,
    ],
  }
}

const nothing: LoadReportPart = {
  part: '',
  architecture: '',
  precision: '',
  dtypes: {},
  parameters: 0,
  bytes: 0,
  missing: [],
  wrong: [],
  unused: [],
}

function numbersOf(weights: Weights): Pick<LoadReportPart, 'precision' | 'dtypes' | 'parameters' | 'bytes'> {
  const { precision, dtypes, parameters, bytes } = summarise(weights)
  return { precision: precision ?? '', dtypes: { ...dtypes }, parameters, bytes }
}

function reportOf(part: string, { config, weights }: Checkpoint): LoadReportPart {
  const architecture = classNameOf(config)
  const known = { ...nothing, ...numbersOf(weights), part, architecture: architecture ?? 'unknown' }
  const audit = architecture === undefined ? undefined : auditOf(architecture)
  if (!audit) {
    const message = `${architecture ?? 'A config.json without a class name'} is no model that is run here, so its weights were not checked.`
    return { ...known, problem: { code: 'unsupported', message } }
  }
  try {
    return { ...known, ...audit(config, weights) }
  } catch (error) {
    return { ...known, problem: toProblem(error) }
  }
}

const notesOf = ({ variant, files }: Checkpoint): string[] => [
  ...(variant === undefined ? [] : [`the ${variant} variant was opened`]),
  ...(files.length > 1 ? [`${files.length} shards`] : []),
]

function listed(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    throw new ProblemError('not-found', `${folder} cannot be found.`, { file: folder, field: 'model', cause })
  }
}
