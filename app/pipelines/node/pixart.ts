import { join } from 'node:path'
import { z } from 'zod'
import { openCheckpoint } from '#app/checkpoints/folder.ts'
import { readJson } from '#app/checkpoints/json.ts'
import { ProblemError } from '#app/contract/errors.ts'
import { familyOf } from '#app/contract/pipelines/pixart.ts'
import { LoadedModel } from '#app/loaded/loaded-model.ts'
import { pipelineLoras } from '#app/loaded/pipeline-loras.ts'
import { classNameOf } from '#app/models/classes.ts'
import { pixartTransformer2d, takesSizes } from '#app/models/pixart-transformer-2d.ts'
import { t5EncoderModel } from '#app/models/t5-encoder.ts'
import type { SessionCache } from '#app/runtime/session-cache.ts'
import { readSchedulerConfig } from '#app/schedulers/config.ts'
import { toFloat32 } from '#app/tensor/convert.ts'
import { float32, int64, type Tensor } from '#app/tensor/tensor.ts'
import { textOf } from '#app/tokenizers/node/clip-tokenizer.ts'
import { openT5Tokenizer } from '#app/tokenizers/node/t5-tokenizer.ts'
import { pixart, type PixArtParts } from '../pixart.ts'
import { openAutoencoder } from './autoencoder.ts'
import { createPromptStates } from './prompt-states.ts'
import type { Runner } from './run.ts'
import { runDiffusion } from './run-diffusion.ts'
import { schedulersOf } from './scheduler.ts'
import { asSetting, type DiffusionOptions, type Opened } from './stable-diffusion.ts'

export type PixArtOptions = Omit<DiffusionOptions, 'forwardChunking' | 'tokenizerFolder'> & {
  /** In the place of what model_index.json says. */
  readonly family?: PixArtParts['family']
  readonly timesteps?: readonly number[] | null
  /** The hashes of the text encoder's files, by their names. What it gives for prompts is kept where they are known. */
  readonly encoderHashes?: Readonly<Record<string, string>>
}

const indexSchema = z.looseObject({ _class_name: z.string() })

/**
 * Opens a PixArt folder (transformer, vae, text_encoder, tokenizer, scheduler). The text encoder is opened when it is
 * asked for a prompt that it has not read before. Throws bad-model or bad-input naming the file or key.
 */
export async function openPixArt(
  sessions: SessionCache,
  folder: string,
  options: PixArtOptions,
): Promise<Opened<PixArtParts>> {
  const [transformer, vae, tokenizer] = await Promise.all([
    openCheckpoint(join(folder, 'transformer')),
    openCheckpoint(join(folder, 'vae')),
    openT5Tokenizer(join(folder, 'tokenizer')),
  ])
  const className = classNameOf(transformer.config)
  if (className !== pixartTransformer2d.className)
    throw new ProblemError(
      'bad-model',
      `${transformer.folder} holds ${className}, not ${pixartTransformer2d.className}.`,
      {
        file: transformer.folder,
      },
    )
  const index = indexSchema.parse(await readJson(join(folder, 'model_index.json')))
  const family = options.family ?? familyOf({ className: index._class_name })
  const schedule = await textOf(join(folder, 'scheduler', 'scheduler_config.json'))
  const compute = { ...sessions.compute, ...options.compute }
  const denoiser = new LoadedModel(pixartTransformer2d, transformer.config, transformer.weights, sessions)
  const autoencoder = openAutoencoder(vae, sessions, compute, options.vaeTiling)
  denoiser.computeWith(compute, options.onQuantizing)
  if (options.attnProcessor) await asSetting('attnProcessor', () => denoiser.setAttnProcessor(options.attnProcessor!))
  if (options.fuseQkv) await asSetting('fuseQkv', () => denoiser.fuseQkvProjections())

  const { config } = denoiser
  const takesSize = takesSizes(config)
  const parts: PixArtParts = {
    family,
    tokenizer,
    encodeText: await openEncoder(sessions, join(folder, 'text_encoder'), { ...options, compute }),
    async denoise({ sample, timestep, text, size }) {
      const rows = sample.shape[0]!
      const inputs = {
        hidden_states: sample,
        timestep,
        encoder_hidden_states: text.states,
        encoder_attention_mask: text.mask,
        ...(size && {
          'added_cond_kwargs.resolution': repeated(rows, [size.height, size.width]),
          'added_cond_kwargs.aspect_ratio': repeated(rows, [size.height / size.width]),
        }),
      }
      return toFloat32((await denoiser.run('forward', inputs)).sample)
    },
    decode: autoencoder.decode,
    createScheduler: schedulersOf(readSchedulerConfig(schedule ?? '{}'), options, {
      ...(options.timesteps && { timesteps: options.timesteps }),
    }),
    denoiserClass: pixartTransformer2d.className,
    latentChannels: config.in_channels,
    sampleSize: config.sample_size,
    patchSize: config.patch_size,
    takesSize,
    vaeScaleFactor: autoencoder.vaeScaleFactor,
    scalingFactor: autoencoder.scalingFactor,
  }
  return { parts, checkpoints: { vae, transformer }, autoencoder, loras: pipelineLoras({ denoiser }) }
}

const repeated = (count: number, row: readonly number[]): Tensor<'float32'> =>
  float32([count, row.length], Array.from({ length: count }, () => row).flat())

/** The encoder of a folder, of which nothing is opened before it is asked for a prompt that it has not read. */
async function openEncoder(
  sessions: SessionCache,
  folder: string,
  { compute, onQuantizing, encoderHashes: hashes }: PixArtOptions,
): Promise<PixArtParts['encodeText']> {
  let opened: Promise<LoadedModel<typeof t5EncoderModel>> | undefined
  const open = async (): Promise<LoadedModel<typeof t5EncoderModel>> => {
    const { config, weights } = await openCheckpoint(folder)
    const model = new LoadedModel(t5EncoderModel, config, weights, sessions)
    model.computeWith(compute ?? {}, onQuantizing)
    return model
  }
  const cache = process.env['FRAMELOOM_CACHE']
  const states = createPromptStates(cache && hashes && join(cache, 'prompts'))
  const config = await readJson(join(folder, 'config.json'))
  return (ids) =>
    states({ config, hashes, compute, ids }, async () => {
      const model = await (opened ??= open())
      const { last_hidden_state } = await model.run('forward', { input_ids: int64([1, ids.length], [...ids]) })
      const { shape, data } = toFloat32(last_hidden_state)
      const own = float32(shape, data.slice())
      // Another prompt has another length, and so another graph.
      await model.release()
      return own
    })
}

export const runPixArt: Runner<'pixart'> = (tools, request, context) =>
  runDiffusion(tools, request, context, {
    frames: 1,
    fps: 1,
    async open(path, options) {
      const [model] = request.models.model ?? []
      context.stage('Reading the weights for their hashes', 0)
      const hashes = model ? (await tools.referenceOf(model, context.signal)).sha256 : {}
      const encoderHashes = Object.fromEntries(
        Object.entries(hashes).filter(([file]) => file.startsWith('text_encoder/')),
      )
      return openPixArt(tools.sessions, path, { ...options, timesteps: request.settings.timesteps, encoderHashes })
    },
    run: (parts, beforeStep) => pixart(parts, { ...request.settings, texts: [request.settings] }, beforeStep),
  })
