import type { Command } from 'commander'
import type { AttnProcessor } from '#app/contract/attn-processors.ts'
import type { LayerProfile, ModelProfile, PartProfile } from '#app/contract/profile.ts'
import type { ForwardChunking } from '#app/contract/settings.ts'
import { readAttention } from './attention.ts'
import { findMeasured, type MeasureOptions } from './measured-model.ts'
import { addMeasured, megabytes, seconds } from './measured-words.ts'
import * as parse from './parse.ts'
import { readProcessors } from './processors.ts'
import { table } from './table.ts'
import type { Tools, WithEngine } from './with-engine.ts'

type ProfileOptions = MeasureOptions & { attn?: string; processors?: string; chunking?: ForwardChunking }

/** `profile`. `command` has the options of commands that `withEngine` runs. */
export function addProfile(command: Command, withEngine: WithEngine): void {
  addMeasured(command)
    .description('Tell the time and memory of each block and of each attention and feed-forward layer of a model.')
    .option('--attn <name|file>', 'attention processor, as in generate')
    .option('--processors <name|file>', 'map of attention processors, as in generate')
    .option('--chunking <size[,dim]>', 'feed-forward layers in chunks, as in generate', parse.chunking)
    .addHelpText(
      'after',
      `
Examples:
  frameloom profile
  frameloom profile some-org--some-model --size 512x512 --frames 16 --attn SlicedAttnProcessor:8
  frameloom profile folder/of/a/UNetMotionModel --size 256x256 --frames 8 --json`,
    )
    .action((model: string | undefined, options: ProfileOptions) =>
      withEngine(options, (tools) => profile(model, options, tools)),
    )
}

async function profile(wanted: string | undefined, options: ProfileOptions, tools: Tools): Promise<undefined> {
  const { engine, progress, signal } = tools
  progress.update('Looking for models', 0)
  const { attn, processors, chunking = null } = options
  const attnProcessor =
    processors !== undefined ? await readProcessors(processors) : attn === undefined ? null : await readAttention(attn)
  const { request, shape } = await findMeasured(wanted, options, tools)
  const result = await engine.call(
    'profile',
    { ...request, settings: { ...shape, attnProcessor, forwardChunking: chunking } },
    { signal, onEvent: ({ stage, progress: part }) => progress.update(stage, part) },
  )
  progress.end()
  console.log(options.json ? JSON.stringify(result, null, 2) : inWords(result))
}

function inWords(profile: ModelProfile): string {
  const { className, settings, milliseconds, peakBytes, weightBytes, blocks, layers } = profile
  const { batch, numFrames, width, height } = settings
  return [
    `${className}, ${batch} x ${numFrames} frames of ${width}x${height}: ${seconds(milliseconds)}, ${megabytes(peakBytes)} beside ${megabytes(weightBytes)} of weights`,
    table([['BLOCK', ...heads], ...blocks.map(row)], { right: [1, 2, 3, 4] }),
    ...(layers.length > 0
      ? [table([['LAYER', ...heads, 'PROCESSOR'], ...layers.map(layerRow)], { right: [1, 2, 3, 4] })]
      : []),
    'PEAK is all tensors that are alive during it, OWN those of them that it makes itself.',
  ].join('\n\n')
}

const heads = ['TIME', 'SHARE', 'PEAK', 'OWN']

const row = ({ path, milliseconds, share, peakBytes, ownBytes }: PartProfile): string[] => [
  path,
  seconds(milliseconds),
  `${(share * 100).toFixed(1)} %`,
  megabytes(peakBytes),
  megabytes(ownBytes),
]

const layerRow = (layer: LayerProfile): string[] => [
  ...row(layer),
  layer.processor ? nameOf(layer.processor) : layer.kind === 'attention' ? '-' : 'feed-forward',
]

const nameOf = (one: AttnProcessor): string =>
  'slice_size' in one ? `${one.processor}:${one.slice_size}` : one.processor
