import { statSync, writeFileSync } from 'node:fs'
import sharp from 'sharp'
import type { EngineCalls, FromEngine, LocatedModel, Pixels, ToEngine } from '#app/contract/engine.ts'
import { allFields } from '#app/contract/pipelines/fields.ts'
import type { PictureRecipe } from '#app/contract/recipe.ts'
import { scalesOf, type LiveControls } from '#app/contract/settings.ts'
import { putWebpRecipe } from '#app/media/recipe-webp.ts'

/**
 * A real engine process for the host's tests: it speaks the whole protocol, and the prompt says how it behaves, since
 * the engine itself can be made neither slow nor dead at will. `slow` waits for its cancel, `die` ends itself in
 * mid-run, `halve` when it has written half of a file, `end` and `linger` have written the whole one and then end, or
 * say nothing; `burst` reports ten thousand steps at once, `refuse` fails, `coarse` does in int8. Classifying a clip
 * named `die...` ends it, too.
 */
const send = (message: FromEngine): void => void process.send?.(message)
const controls = new Map<number, LiveControls>()
const cancelled = new Set<number>()
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const model = (id: string, more: Partial<LocatedModel>): LocatedModel => ({
  id,
  name: id,
  kind: 'stable-diffusion',
  className: 'StableDiffusionPipeline',
  source: 'bundled',
  location: id,
  bytes: 1,
  precision: 'float32',
  demo: true,
  needsMotionAdapter: false,
  folder: `/secret/place/${id}`,
  ...more,
})
const models = [
  model('painter', { needsMotionAdapter: true, blockOutChannels: [32, 64], sizeMultiple: 8 }),
  model('motion', { kind: 'motion-adapter', blockOutChannels: [32, 64], numFrames: 24 }),
  model('wide-motion', { kind: 'motion-adapter', blockOutChannels: [320, 640], numFrames: 24 }),
  model('mover', { numFrames: 16, sizeMultiple: 16 }),
  model('style', { kind: 'lora', className: 'LoRA' }),
  model('subject', { kind: 'custom-diffusion', className: 'CustomDiffusion' }),
  model('judge', { kind: 'video-classifier' }),
  model('broken', { problem: { code: 'bad-model', message: 'broken/unet has no weights.', file: 'broken/unet' } }),
]
const grey = (count: number): Pixels => ({ width: 4, height: 4, count, data: new Uint8Array(48 * count).fill(128) })
const hash = { sha256: { 'model.safetensors': 'ab'.repeat(32) } }

type Run = EngineCalls['run']['request']
type Picture = Extract<Run, { pipeline: PictureRecipe['pipeline'] }>

async function makePicture(
  id: number,
  { pipeline, settings: own, out, appVersion, models }: Picture,
): Promise<EngineCalls['run']['result']> {
  const settings = allFields(own)
  const event = (event: EngineCalls['run']['event']) => send({ type: 'event', id, event })
  event({ type: 'stage', stage: 'Reading weights', progress: 0 })
  if (settings.prompt === 'refuse') throw new Error('the weights are gone')
  if (settings.prompt === 'coarse' && settings.compute.precision === 'int8') throw new Error('NaN')
  const totalSteps = settings.prompt === 'burst' ? 10_000 : settings.numInferenceSteps
  for (let step = 1; step <= totalSteps; step++) {
    const progress = step / totalSteps
    const live = {
      freeu: 'freeu' in settings ? settings.freeu : null,
      loraScales: scalesOf(settings.loras),
      ...controls.get(id),
    }
    event({ type: 'step', step, totalSteps, progress, secondsLeft: 1, ...live })
    if (settings.prompt !== 'burst') {
      event({ type: 'preview', step, pixels: grey('numFrames' in own ? own.numFrames : 1) })
      await pause(10)
    }
    if (settings.prompt === 'die' && step === 2) process.kill(process.pid, 'SIGKILL')
    while (settings.prompt === 'slow' && !cancelled.has(id)) await pause(5)
    if (cancelled.has(id)) throw new Error('cancelled')
  }
  event({ type: 'note', note: 'The end of the prompt did not fit.' })
  const reference = ({ id, name }: LocatedModel) => ({ id, name, ...hash })
  const recipe = {
    frameloom: 2,
    appVersion,
    pipeline,
    settings: own,
    models: Object.fromEntries(Object.entries(models).map(([role, found]) => [role, found.map(reference)])),
  } as PictureRecipe
  const { width, height } = settings
  const still = sharp({ create: { width, height, channels: 3, background: '#336699' } })
  const file = putWebpRecipe(await still.webp({ lossless: true }).toBuffer(), JSON.stringify(recipe))
  if (settings.prompt === 'halve') {
    writeFileSync(`${out}.${process.pid}-0badcafe.part`, file.subarray(0, 100))
    process.kill(process.pid, 'SIGKILL')
  }
  writeFileSync(out!, file)
  if (settings.prompt === 'end') process.kill(process.pid, 'SIGKILL')
  while (settings.prompt === 'linger') await pause(50)
  return { kind: 'picture', recipe, bytes: file.length, notes: ['The end of the prompt did not fit.'] }
}

async function answer(
  message: Extract<ToEngine, { type: 'call' }>,
): Promise<EngineCalls[typeof message.method]['result']> {
  switch (message.method) {
    case 'scanModels':
      return { models }
    case 'run': {
      const { request } = message
      if (request.pipeline === 'text-to-embedding') throw new Error('this engine makes no embeddings')
      if (request.pipeline !== 'video-classification') return makePicture(message.id, request)
      const source = request.source!
      if (source.name.startsWith('die')) process.kill(process.pid, 'SIGKILL')
      send({ type: 'event', id: message.id, event: { type: 'stage', stage: 'Reading frames', progress: 0.5 } })
      const said = 'pixels' in source ? `${statSync(source.pixels.file).size} bytes` : 'a file'
      const labels = [{ label: said, probability: 1 }]
      const classification = { labels, windows: [[0, 1]], frameCount: 2, notes: [], modelName: 'judge' }
      return { kind: 'labels', classification, pixels: grey(2) }
    }
    case 'compareEmbeddings':
      return { cosines: message.request.files.map(() => message.request.files.map(() => 1)) }
    case 'countTokens':
      return { counts: message.request.texts.map((text) => ({ tokens: text.length, room: 75, begins: [] })) }
    case 'exportClip': {
      const { out, format } = message.request
      if (format === 'png') {
        const { mkdirSync } = await import('node:fs')
        mkdirSync(out)
        for (const name of ['frame-0001.png', 'frame-0002.png']) writeFileSync(`${out}/${name}`, name.repeat(10))
      } else writeFileSync(out, `a ${format} file`)
      return { bytes: 1 }
    }
    case 'attnProcessors':
      return { processors: {} }
    case 'freezeUnet2d':
      return { frozen: ['conv_in.weight'], trainable: [], frozenParameters: 1, trainableParameters: 0 }
    case 'saveMotionModules':
      return null
    case 'profile':
    case 'autotune': {
      const { id, request } = message
      send({ type: 'event', id, event: { type: 'stage', stage: 'Running the model', progress: 0.5 } })
      while (request.settings.numFrames === 15 && !cancelled.has(id)) await pause(5)
      if (cancelled.has(id)) throw new Error('cancelled')
      const figures = { milliseconds: 10, peakBytes: 1000 }
      const common = { className: 'UNetMotionModel', weightBytes: 1 }
      if (message.method === 'profile')
        return { ...common, ...figures, settings: message.request.settings, blocks: [], layers: [] }
      const tuning = { attnProcessor: null, forwardChunking: { chunkSize: 4, dim: 0 as const } }
      const proposals = [{ ...tuning, name: 'Fastest', predicted: figures, measured: figures, fits: true }]
      const { settings } = message.request
      return { ...common, settings, proposals, advised: 'Fastest', layers: 2, shapes: 1 }
    }
    case 'inspect':
      return { path: message.request.path, kind: 'for tests', parts: [], unused: [], files: [], notes: [] }
    case 'weightHashes':
      return hash
    case 'doctor':
      return { checks: [{ name: 'Engine', state: 'ok', detail: 'for tests' }] }
    case 'configure':
      return null
  }
}

process.on('disconnect', () => process.exit())
process.on('message', (message: ToEngine) => {
  switch (message.type) {
    case 'ping':
      return send({ type: 'pong', id: message.id })
    case 'controls':
      return void controls.set(message.id, message.controls)
    case 'cancel':
      cancelled.add(message.id)
      return send({ type: 'cancelling', id: message.id })
    case 'call': {
      const { id } = message
      answer(message).then(
        (result) => send({ type: 'result', id, result }),
        (error: unknown) => {
          const text = error instanceof Error ? error.message : String(error)
          const problem = cancelled.has(id)
            ? ({ code: 'cancelled', message: 'Cancelled.' } as const)
            : ({ code: 'bad-model', message: text } as const)
          send({ type: 'failed', id, problem })
        },
      )
    }
  }
})
send({ type: 'ready', pid: process.pid })
